"""The parts that set configurations beside each other: the best, the table, what was not alike, the front."""

import math
from collections.abc import Iterable, Iterator, Sequence

from robustlit.reports.charts import Dot, scatter_chart
from robustlit.reports.charts.scatter import front
from robustlit.reports.columns import Key, column_name
from robustlit.reports.document import Chart, Finding, Findings, Section, Table, Text
from robustlit.reports.groups import Agreed, Group, mean_and_spread
from robustlit.reports.loading import Failure
from robustlit.reports.numbers import is_share, percent
from robustlit.reports.sweep_jobs import EXTRA
from robustlit.reports.view import SCORES, View

__all__ = [
    "best_group",
    "comparison_table",
    "failure_findings",
    "failures",
    "findings",
    "group_values",
    "not_alike",
    "scatter",
]


def best_group(groups: Sequence[Group]) -> tuple[Group, str, float, float | None] | None:
    """Return the best configuration by a validation figure: its score under EXTRA, else the task's own.

    Test figures do not choose it, so that they stay independent of the choice.

    Returns:
        The group, the key, its mean over seeds and its standard deviation; None where not all have such a figure.
    """
    for key in (EXTRA, *dict.fromkeys(view.run.results.headline for group in groups for view in group.views)):
        found = []
        for group in groups:
            values = [_validated(view, key) for view in group.views]
            if not key or any(math.isnan(value) for value in values):
                break
            found.append((group, key, *mean_and_spread(values)))
        else:
            return max(found, key=lambda each: each[2])
    return None


def group_values(groups: Sequence[Group], views: Sequence[View], one: Agreed) -> list[list[float]]:
    """Return the values of a figure by group, of the runs that measured it alike."""
    numbers = {id(view): number for number, view in enumerate(views)}
    return [
        [one.rows[numbers[id(view)]].value for view in group.views if numbers[id(view)] in one.rows] for group in groups
    ]


def comparison_table(
    groups: Sequence[Group],
    views: Sequence[View],
    agreed: Sequence[Agreed],
    best: tuple[Group, str, float, float | None] | None,
) -> Table:
    """Return a row a configuration, a column a figure: mean over seeds ± standard deviation."""
    by_figure = [group_values(groups, views, one) for one in agreed]
    rows = []
    for place, group in enumerate(groups):
        cells = [_cell(one.key[2], values[place]) for one, values in zip(agreed, by_figure, strict=True)]
        rows.append([group.label, group.seeds, *cells])
    strong = [place for place, group in enumerate(groups) if best is not None and group is best[0]]
    header = ["configuration", "seeds", *(column_name(one.key) for one in agreed)]
    counts = sorted({row.n for one in agreed for row in one.rows.values()})
    n = f"n = {counts[0]:,}" if len(counts) == 1 else f"n from {counts[0]:,} to {counts[-1]:,}" if counts else ""
    caption = (
        f"Mean over seeds ± standard deviation, in percent where nothing else is said; {n}. Bold: best on validation."
    )
    return Table(header, rows, right=len(agreed), caption=caption, strong=strong)


def findings(
    groups: Sequence[Group],
    views: Sequence[View],
    agreed: Sequence[Agreed],
    robust: Key | None,
    best: tuple[Group, str, float, float | None] | None,
) -> list[Findings]:
    """Return the verdict on the configurations."""
    by_key = {one.key: group_values(groups, views, one) for one in agreed}
    clean = _clean_key(by_key)
    items = []
    if best is not None and len(groups) > 1:
        place = list(groups).index(best[0])
        told = [_told(key, by_key[key][place]) for key in (clean, robust) if key and by_key[key][place]]
        items.append(_best(*best, told))
    if robust is not None:
        items += _extremes(groups, robust, by_key[robust])
    if clean is not None and robust is not None:
        items += _front(_dots(groups, by_key[clean], by_key[robust]), clean, robust)
    if any(one.left_out for one in agreed):
        text = "Some figures were measured otherwise than the rest and are in no mean; see below."
        items.append(Finding("Not alike", text, "note"))
    single = sum(len(group.views) == 1 for group in groups)
    if single:
        text = f"{single} of {len(groups)} configurations have one seed only."
        if single == len(groups):
            text = "One seed each says nothing of how much chance there is; try seed=0,1,2."
        items.append(Finding("Seeds", text, "note"))
    return [Findings(items)]


def not_alike(views: Sequence[View], agreed: Sequence[Agreed]) -> Iterator[Section]:
    """Say which figures were left out of means, and why."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in agreed:
        for number, why in one.left_out.items():
            reasons.setdefault((str(views[number].run.folder), why), []).append(column_name(one.key))
    rows = [[folder, ", ".join(names), why] for (folder, why), names in reasons.items()]
    if rows:
        note = (
            "A mean is over figures that were measured alike. These were measured otherwise than most and are left out."
        )
        yield Section("Not measured alike", [Text(note, "warning"), Table(["run", "figures", "because of"], rows)])


def failure_findings(failed: Sequence[Failure]) -> list[Finding]:
    """Say that jobs failed, and why the first one did."""
    if not failed:
        return []
    several = f"{len(failed)} jobs have no result" if len(failed) > 1 else "One job has no result"
    return [Finding("Failed", f"{several}: {failed[0].error}", "bad")]


def failures(failed: Sequence[Failure]) -> Iterator[Section]:
    """List the jobs without a result."""
    rows = [
        [
            " ".join(f"{key}={value}" for key, value in one.overrides.items()) or one.folder.name,
            "failed",
            one.error,
            str(one.folder),
        ]
        for one in failed
    ]
    if rows:
        yield Section("Failed jobs", [Table(["job", "state", "error", "folder"], rows)])


def scatter(
    groups: Sequence[Group], views: Sequence[View], agreed: Sequence[Agreed], robust: Key | None
) -> Iterator[Section]:
    """Draw clean against robust scores."""
    by_key = {one.key: group_values(groups, views, one) for one in agreed}
    clean = _clean_key(by_key)
    if clean is None or robust is None:
        return
    dots = _dots(groups, by_key[clean], by_key[robust])
    if len(dots) > 1:
        names = column_name(clean), column_name(robust)
        chart = scatter_chart(dots, x_label=names[0], y_label=names[1])
        spread = " Whiskers are standard deviations over seeds." if any(dot.dx or dot.dy for dot in dots) else ""
        beats = "Filled and joined: the Pareto front, which no other configuration beats in both."
        caption = f"{names[1]} over {names[0]}. {beats}{spread}"
        yield Section("Clean against robust", [Chart(chart, caption)])


def _clean_key(keys: Iterable[Key]) -> Key | None:
    return next((key for key in keys if key[0] == "clean" and key[2] in SCORES), None)


def _best(group: Group, key: str, mean: float, spread: float | None, told: Sequence[str]) -> Finding:
    over = f" ± {100 * spread:.1f}" if spread is not None else ""
    tested = f" On test images: {', '.join(told)}." if told else ""
    return Finding("Best", f"{group.label} ({key} {percent(mean)}{over} on validation images).{tested}", "good")


def _extremes(groups: Sequence[Group], key: Key, values: Sequence[list[float]]) -> Iterator[Finding]:
    """From which configuration to which a figure goes."""
    pairs = zip(values, groups, strict=True)
    ranked = [(mean_and_spread(own)[0], group.label) for own, group in pairs if own]
    if len(ranked) > 1:
        (low, worst), (high, best) = min(ranked), max(ranked)
        text = f"From {percent(low)} ({worst}) to {percent(high)} ({best}), {100 * (high - low):.1f} points apart."
        yield Finding(column_name(key), text, "note")


def _front(dots: Sequence[Dot], clean: Key, robust: Key) -> Iterator[Finding]:
    """Which configurations no other one beats in both."""
    if len(dots) > 1:
        names = " or ".join(dots[number].label for number in front(dots))
        text = f"No configuration beats {names} in both {column_name(clean)} and {column_name(robust)}."
        yield Finding("Pareto front", text, "note")


def _dots(groups: Sequence[Group], xs: list[list[float]], ys: list[list[float]]) -> list[Dot]:
    dots = []
    for group, x, y in zip(groups, xs, ys, strict=True):
        if x and y:
            (mx, sx), (my, sy) = mean_and_spread(x), mean_and_spread(y)
            dots.append(Dot(group.label, mx, my, sx or 0.0, sy or 0.0))
    return dots


def _validated(view: View, key: str) -> float:
    """The validation figure of the reported weights: that of their epoch where it chose them, else the last one."""
    chosen = view.run.results.selected_on.get(view.checkpoint)
    if chosen is not None and chosen.monitor == key and chosen.score is not None:
        return chosen.score
    return view.run.results.validation.get(key, math.nan)


def _cell(metric: str, values: list[float]) -> str:
    if not values:
        return "–"
    mean, spread = mean_and_spread(values)
    factor, digits = (100, 1) if is_share(metric) else (1, 3)
    over = "" if spread is None else f" ± {factor * spread:.{digits}f}"
    return f"{factor * mean:.{digits}f}{over}"


def _told(key: Key, values: list[float]) -> str:
    mean, spread = mean_and_spread(values)
    return f"{column_name(key)} {percent(mean)}" + ("" if spread is None else f" ± {100 * spread:.1f}")
