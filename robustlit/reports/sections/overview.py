"""The first part: the verdict, and the few figures that stand for the model."""

from robustlit.evaluation.base import Row
from robustlit.reports.corruption_blocks import TITLES
from robustlit.reports.document import Findings, Section, Tile, Tiles
from robustlit.reports.numbers import percent, points, span, words
from robustlit.reports.verdict import verdict
from robustlit.reports.verdict.attacks import strongest
from robustlit.reports.verdict.corruptions import drops
from robustlit.reports.view import View, eps_text

__all__ = ["overview", "tiles"]

_MOST = 6  # beside each other


def overview(view: View) -> Section:
    """Return verdict and figures."""
    return Section("", [Findings(verdict(view)), Tiles(tiles(view))])


def tiles(view: View) -> list[Tile]:
    """Return the few figures: clean, the families' means, the worst corruption, the strongest attack, confidence."""
    found = []
    if view.clean is not None:
        found.append(Tile(f"Clean {view.score_words}", percent(view.clean.value), _small(view.clean)))
    block = view.block
    if block is not None:
        for name, label in TITLES.items():
            if name in block.tests:
                row = block.tests[name]
                below = "" if block.clean is None else f"{points(row.value - block.clean)} points, "
                found.append(Tile(label, percent(row.value), f"{below}n = {row.n:,}"))
    attacked = strongest(view)
    if attacked is not None:
        row = attacked
        found.append(
            Tile(
                "Strongest attack", percent(row.value), f"{eps_text({**row.conditions, 'steps': None})}; {_small(row)}"
            )
        )
    error = view.find("calibration", "calibration_error") or view.find("clean", "calibration_error")
    if error is not None:
        found.append(Tile("Calibration error", percent(error.value), f"clean, n = {error.n:,}"))
    worst = None if block is None else next(iter(drops(view, block)), None)
    if worst is not None:
        found.append(Tile(words(worst.label).capitalize(), percent(worst.score), "the worst corruption"))
    return found[:_MOST]


def _small(row: Row) -> str:
    ends = span(row.low, row.high)
    return f"{ends}, n = {row.n:,}" if ends else f"n = {row.n:,}"
