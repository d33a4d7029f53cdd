"""The part about attacks: the score over eps, and every attack in a table."""

from collections.abc import Iterator

from robustlit.evaluation.base import Row
from robustlit.reports.charts import Line, line_chart
from robustlit.reports.document import Block, Chart, Section, Table, Text
from robustlit.reports.numbers import percent, span
from robustlit.reports.view import View, eps_text

__all__ = ["attacks"]


def attacks(view: View) -> Iterator[Section]:
    """Return the section, where something attacked the model."""
    rows = list(view.attacks())
    if rows:
        yield Section("Attacks", list(_blocks(view, rows)))


def _blocks(view: View, rows: list[Row]) -> Iterator[Block]:
    for norm in dict.fromkeys(str(row.conditions.get("norm", "")) for row in rows):
        lines = _ladders(view, [row for row in rows if str(row.conditions.get("norm", "")) == norm])
        if lines:
            ticks = _ticks(norm, sorted({x for line in lines for x in line.x}))
            label = f"eps ({'L' + norm.removeprefix('l')})"
            chart = line_chart(lines, x_label=label, y_label=view.score_words, x_ticks=ticks)
            yield Chart(chart, f"{view.score_words.capitalize()} against eps; bands are 95 % intervals. {_facts(rows)}")
    table = [
        [_name(row), eps_text(row.conditions), percent(row.value), span(row.low, row.high), f"{row.n:,}"]
        for row in rows
    ]
    clean = [row for row in view.own if row.metric == "clean" and row.test in {each.test for each in rows}]
    table = [["no attack", "", percent(row.value), span(row.low, row.high), f"{row.n:,}"] for row in clean[:1]] + table
    yield Table(["attack", "conditions", view.score_words, "95 % interval", "n"], table, right=3)
    for row in rows:
        if "warning" in row.conditions:
            yield Text(str(row.conditions["warning"]), "warning")


def _ladders(view: View, rows: list[Row]) -> list[Line]:
    """A line for every attack that has several eps, from the clean score of its images on."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(f"{row.test}:{_name(row)}", []).append(row)
    lines = []
    for own in found.values():
        clean = next((each for each in view.own if (each.test, each.metric) == (own[0].test, "clean")), None)
        steps = (
            sorted([*own], key=lambda row: float(row.conditions["eps"]))
            if all("eps" in row.conditions for row in own)
            else []
        )
        if len(steps) < 2:
            continue
        every = steps if clean is None else [clean, *steps]
        xs = [float(row.conditions.get("eps") or 0) for row in every]
        lines.append(Line(_name(own[0]), xs, [r.value for r in every], [r.low for r in every], [r.high for r in every]))
    return lines


def _ticks(norm: str, values: list[float]) -> list[tuple[float, str]]:
    """Eps as people write it; of Linf in 255ths."""
    if norm != "linf" or not values or max(values) > 0.5:
        return [(value, f"{value:.3g}") for value in values]
    told: list[tuple[float, str]] = []
    for value in reversed(values):  # the largest first; those that would lie on each other are left out
        steps = value * 255
        near = round(steps) if abs(steps - round(steps)) < 0.02 else round(steps, 2)
        if not told or told[-1][0] - value > 0.12 * max(values):
            told.append((value, f"{near:g}/255" if value else "0"))
    return told


def _name(row: Row) -> str:
    name = str(row.conditions.get("attack", row.metric))
    loss = row.conditions.get("loss")
    return f"{name}, {loss}" if loss not in (None, "ce", "") and "worst" not in name else name


def _facts(rows: list[Row]) -> str:
    row = rows[-1]
    parts = [f"n = {row.n:,}", f"precision {row.conditions['precision']}" if "precision" in row.conditions else ""]
    parts.append(f"seed {row.conditions['evaluation_seed']}" if "evaluation_seed" in row.conditions else "")
    return ", ".join(part for part in parts if part) + "."
