"""The parts about differences: of two configurations on equal images, and corruption by corruption."""

from collections.abc import Iterator, Sequence

import numpy as np

from robustlit.families import by_family
from robustlit.reports.charts import Range, range_chart
from robustlit.reports.columns import column_name
from robustlit.reports.document import Block, Chart, Heat, Section, Table, Text
from robustlit.reports.groups import Agreed, Group
from robustlit.reports.numbers import points, words
from robustlit.reports.paired import Difference, common_images, paired_difference
from robustlit.reports.view import View

__all__ = ["differences", "paired"]

_MOST = 12  # configurations that are set beside the reference


def paired(
    groups: Sequence[Group],
    views: Sequence[View],
    agreed: Sequence[Agreed],
    best: tuple[Group, str, float, float | None] | None,
) -> Iterator[Section]:
    """Set every configuration beside the first one, on the images that both were tested on."""
    if len(groups) < 2:
        return
    reference = groups[0]
    rows, ranges = [], []
    for group in groups[1 : 1 + _MOST]:
        for one in agreed:
            found = _difference(reference, group, views, one)
            if found is not None:
                clear = "yes" if found.is_clear else "no"
                ends = f"{points(found.low)} to {points(found.high)}"
                rows.append([group.label, column_name(one.key), points(found.value), ends, f"{found.n:,}", clear])
                ranges.append(
                    Range(
                        f"{group.label}: {column_name(one.key)}",
                        found.value,
                        found.low,
                        found.high,
                        points(found.value),
                    )
                )
    if rows:
        blocks: list[Block] = []
        if len(ranges) <= 24:
            chart = range_chart(ranges, label=f"points against {reference.label}", reference=0.0, signed=True)
            blocks.append(Chart(chart, f"Differences to {reference.label}, with paired 95 % intervals."))
        header = ["configuration", "figure", f"against {reference.label}", "95 % interval", "n", "clear"]
        blocks.append(Table(header, rows, right=4))
        note = (
            "In points, on the same images. The answers to an image are averaged over the seeds of a configuration, so "
            "the interval is that of drawing images and not of drawing seeds: read it beside the deviations above."
        )
        yield Section("Differences on the same images", [*blocks, Text(note, "note")])


def differences(groups: Sequence[Group], best: tuple[Group, str, float, float | None] | None) -> Iterator[Section]:
    """Show what each configuration gains or loses in every corruption against the first one."""
    means = [_corruption_means(group) for group in groups]
    shared = [label for label in means[0] if sum(label in each for each in means) > 1]
    columns = [place for place in range(1, len(groups)) if any(label in means[place] for label in shared)][:8]
    if not shared or not columns:
        return
    lines = [
        (
            family,
            [
                (
                    words(label),
                    [means[place][label] - means[0][label] if label in means[place] else None for place in columns],
                )
                for label in labels
            ],
        )
        for family, labels in by_family(shared).items()
    ]
    caption = f"Points gained (+) or lost (−) against {groups[0].label}, mean over severities and seeds."
    header = [groups[place].label for place in columns]
    yield Section("Corruption by corruption", [Heat(header, lines, caption, signed=True, last_apart=False)])


def _difference(reference: Group, group: Group, views: Sequence[View], one: Agreed) -> Difference | None:
    """The difference of a figure, image by image, means over the seeds of both."""
    numbers = {id(view): number for number, view in enumerate(views)}
    test, split, metric = one.key
    sides = []
    for side in (group, reference):
        own = [view for view in side.views if numbers[id(view)] in one.rows]
        kept = [view.outcomes_of(test, split) for view in own]
        if not kept or not all(kept):
            return None
        sides.append(kept)
    scores = common_images([*sides[0], *sides[1]], _cells(sides[0][0], test, metric))
    if scores is None:
        return None
    count = len(sides[0])
    return paired_difference(np.mean(scores[:count], axis=0), np.mean(scores[count:], axis=0))


def _cells(data: dict[str, object], test: str, metric: str) -> list[str]:
    """The cells whose mean is a figure."""
    if metric in data:
        return [metric]
    if metric != "accuracy":  # no mean over images that are right or wrong
        return []
    if test == "clean":
        return ["clean"] if "clean" in data else []
    cells = [name for name in data if name not in ("index", "clean") and ("/" in name)]
    labels = {name.rpartition("/")[0] for name in cells}
    sizes = {label: sum(name.rpartition("/")[0] == label for name in cells) for label in labels}
    return cells if len(set(sizes.values())) == 1 else []  # else a mean over cells is not that over corruptions


def _corruption_means(group: Group) -> dict[str, float]:
    """Mean over seeds of the score of every corruption that all runs of a group have."""
    found: dict[str, list[float]] = {}
    for view in group.views:
        block = view.block
        for label, cells in block.cells.items() if block is not None else ():
            score = block.means.get(label, cells.get(0)) if block is not None else None
            if score is not None:
                found.setdefault(label, []).append(score)
    return {label: sum(values) / len(values) for label, values in found.items() if len(values) == len(group.views)}
