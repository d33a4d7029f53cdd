"""The part about corruptions: every cell, curves over severity, and what each corruption costs."""

from collections.abc import Iterator

from robustlit.evaluation.base import PUBLISHED
from robustlit.families import by_family
from robustlit.reports.charts import Line, Range, line_chart, range_chart
from robustlit.reports.corruption_blocks import CorruptionBlock
from robustlit.reports.corruption_table import provenance_line
from robustlit.reports.document import Beside, Block, Chart, Heat, Section, Text
from robustlit.reports.numbers import percent, words
from robustlit.reports.verdict.corruptions import drops
from robustlit.reports.view import View

__all__ = ["corruptions", "heat_groups"]

_SHOWN = 16


def corruptions(view: View) -> Iterator[Section]:
    """Return a section for the corruptions of the split, and one for every set on disk."""
    for block in view.blocks:
        title = "Corruptions" if block.split != PUBLISHED else f"Corrupted images of {block.place}"
        yield Section(title, list(_blocks(view, block)))


def _blocks(view: View, block: CorruptionBlock) -> Iterator[Block]:
    severities = sorted({severity for row in block.cells.values() for severity in row if severity})
    score = view.score_words
    clean = "" if block.clean is None else f" Clean images: {percent(block.clean)}."
    caption = f"{score.capitalize()} in percent by corruption and severity.{clean}"
    if severities:
        heat = Heat([*(f"{severity:g}" for severity in severities), "mean"], heat_groups(block, severities), caption)
    else:
        heat = Heat(["score"], [("", [(words(label), [row.get(0)]) for label, row in block.cells.items()])], caption)
    yield Beside(heat, list(_charts(view, block, severities, score)))
    yield Text(provenance_line(block, view.run.results), "note")
    for note in block.notes:
        yield Text(note, "note")


def _charts(view: View, block: CorruptionBlock, severities: list[int | float], score: str) -> Iterator[Chart]:
    if len(severities) > 1:
        yield Chart(_curves(block, severities, score), _curve_caption(block, score))
    costs = [drop for drop in drops(view, block) if drop.points > -1][:_SHOWN]
    if costs and block.clean is not None:
        paired = any(drop.paired is not None for drop in costs)
        more = " with the 95 % interval over the same images" if paired else ""
        ranges = [
            Range(
                words(drop.label),
                -drop.points,
                None if drop.paired is None else -drop.paired.high,
                None if drop.paired is None else -drop.paired.low,
                f"{-100 * drop.points:+.1f}".replace("-", "−"),
            )
            for drop in costs
        ]
        chart = range_chart(ranges, label=f"points of {score} against clean", reference=0.0, signed=True)
        yield Chart(
            chart, f"What each corruption costs, mean over severities{more}; the {len(costs)} worst.", half=True
        )


def heat_groups(
    block: CorruptionBlock, severities: list[int | float]
) -> list[tuple[str, list[tuple[str, list[float | None]]]]]:
    """Return the cells of a block by kind of corruption, the mean last."""
    return [
        (
            family,
            [
                (
                    words(label),
                    [
                        *(block.cells[label].get(s) for s in severities),
                        block.cells[label].get(0, block.means.get(label)),
                    ],
                )
                for label in labels
            ],
        )
        for family, labels in by_family(block.cells).items()
    ]


def _curves(block: CorruptionBlock, severities: list[int | float], score: str) -> str:
    """Mean over the corruptions of each kind, by severity, from the clean score on."""
    lines = []
    for family, labels in by_family(block.cells).items():
        xs, ys = ([0.0], [block.clean]) if block.clean is not None else ([], [])
        for severity in severities:
            values = [block.cells[label][severity] for label in labels if severity in block.cells[label]]
            if values:
                xs.append(float(severity))
                ys.append(sum(values) / len(values))
        if len(xs) > 1:
            lines.append(Line(family, xs, ys))
    ticks = [(float(severity), f"{severity:g}") for severity in severities]
    ticks = [(0.0, "clean"), *ticks] if block.clean is not None else ticks
    return line_chart(lines, x_label="severity", y_label=score, x_ticks=ticks, title=f"{score} by severity")


def _curve_caption(block: CorruptionBlock, score: str) -> str:
    return f"{score.capitalize()} by severity, mean over the corruptions of each kind; n = {block.n:,} images a cell."
