"""Which corruption hurts at which severity."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from robustlit.families import by_family
from robustlit.panels.colors import ink_on, viridis
from robustlit.panels.grid import below, titled
from robustlit.panels.text import GREY, INK, PAPER, Color, Picture, text_strip, text_width

__all__ = ["heat_map"]

_CELL = (20, 34)  # pixels
_GAP = 7
_SIZE = 13
_NAMES = 118  # pixels: longer names are shortened
_EMPTY: Color = (246, 246, 247)
_HATCH: Color = (205, 207, 211)


def heat_map(scores: Mapping[str, Mapping[int | float, float]], title: str = "", note: str = "") -> Picture:
    """Draw scores as coloured cells with their percentages: a row a corruption, by family, a column a severity.

    The colours run from dark violet at 0 to yellow at 100 %, the same in every picture. Cells that were not measured
    are hatched, and so is the mean of a row that lacks one.

    Args:
        scores: Scores in [0, 1] by corruption and severity.
        title: The line at the top.
        note: The grey line below it.

    Returns:
        One picture, about 350 pixels wide.

    Raises:
        ValueError: If there is no score.
    """
    severities = sorted({severity for row in scores.values() for severity in row})
    if not severities:
        raise ValueError("expected the scores of at least one cell, got none; try a larger budget")
    names = min(_NAMES, max(text_width(_words(label), _SIZE) for label in scores)) + 10
    blocks = [_heads(severities, names)]
    for labels in by_family(scores).values():
        blocks += [_row(_words(label), _values(scores[label], severities), names) for label in labels]
        blocks.append(np.full((_GAP, 1, 3), PAPER, dtype=np.uint8))
    sheet = below(np.full((4, 335, 3), PAPER, dtype=np.uint8), *blocks)
    return titled(title, np.pad(sheet, ((0, 0), (6, 6), (0, 0)), constant_values=255), note=note)


def _values(row: Mapping[int | float, float], severities: Sequence[int | float]) -> list[float | None]:
    """Return the scores of a row, None where there is none, and their mean over whole severities."""
    values = [row.get(severity) for severity in severities]
    if len(severities) == 1:
        return values
    whole = [row.get(severity) for severity in severities if severity == int(severity)]
    known = [value for value in whole if value is not None]
    return [*values, sum(known) / len(known) if known and len(known) == len(whole) else None]


def _heads(severities: Sequence[int | float], names: int) -> Picture:
    heads = [f"{severity:g}" for severity in severities] + (["mean"] if len(severities) > 1 else [])
    strips = [text_strip(head, _CELL[1], color=GREY, size=_SIZE, centered=True) for head in heads]
    label = text_strip("severity", names, color=GREY, size=_SIZE)
    return np.concatenate([label, *_spaced(strips)], axis=1)


def _row(name: str, values: list[float | None], names: int) -> Picture:
    label = np.full((_CELL[0], names, 3), PAPER, dtype=np.uint8)
    text = text_strip(name, names - 8, size=_SIZE, color=INK)
    label[1 : 1 + len(text), : names - 8] = text[: _CELL[0] - 1]
    cells = [_hatched() if value is None else _cell(value) for value in values]
    return np.concatenate([label, *_spaced(cells)], axis=1)


def _spaced(cells: list[Picture]) -> list[Picture]:
    """Set the last of several columns, the mean, apart."""
    gap = np.full((len(cells[0]), _GAP, 3), PAPER, dtype=np.uint8)
    return [*cells[:-1], gap, cells[-1]] if len(cells) > 1 else cells


def _cell(value: float) -> Picture:
    """Return a coloured cell with its percentage."""
    color = np.full(3, 190, dtype=np.uint8) if math.isnan(value) else viridis(value)
    cell = np.empty((*_CELL, 3), dtype=np.uint8)
    cell[:] = color
    text = "NaN" if math.isnan(value) else f"{100 * value:.0f}"
    strip = text_strip(text, _CELL[1] - 1, color=(0, 0, 0), size=_SIZE, centered=True)[: _CELL[0] - 2, :, :1]
    letters = 1 - strip / 255
    inner = cell[1 : 1 + len(letters), :-1]
    inner[:] = np.round(inner * (1 - letters) + np.array(ink_on(color)) * letters)
    cell[-1], cell[:, -1] = PAPER, PAPER
    return cell


def _hatched() -> Picture:
    rows, columns = np.indices(_CELL)
    cell = np.where(((rows + columns) % 6 == 0)[..., None], np.array(_HATCH), np.array(_EMPTY)).astype(np.uint8)
    cell[-1], cell[:, -1] = PAPER, PAPER
    return cell


def _words(label: str) -> str:
    return label.replace("_", " ")
