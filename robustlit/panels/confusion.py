"""Which classes are taken for which."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from robustlit.panels.grid import below, titled
from robustlit.panels.text import GREEN, INK, PAPER, RED, Picture, letters, text_strip, text_width

__all__ = ["confusion_panel"]

_SIDE = 480  # pixels of the whole matrix, about
_LINE = (225, 225, 225)


def confusion_panel(counts: Tensor, class_names: Sequence[str] | None = None, title: str = "") -> Picture:
    """Draw a confusion matrix as a heat map: rows are true classes, columns predicted ones, each row sums to 100 %.

    Args:
        counts: Numbers of samples K×K, ``counts[true, predicted]``.
        class_names: K names; default the numbers.
        title: The line at the top.

    Returns:
        One picture; up to 13 classes have the percentage in the cell, up to 34 their names beside it.
    """
    rates = (counts.double() / counts.sum(1, keepdim=True).clamp(min=1)).cpu().numpy()
    names = [str(index) for index in range(len(rates))] if class_names is None else list(class_names)
    side = max(1, min(44, _SIDE // len(rates)))
    matrix = _matrix(rates, side)
    if side >= 14:
        matrix = np.concatenate([_labels(names, side), matrix], axis=1)
    paper = np.full((6, max(320, matrix.shape[1]), 3), PAPER, dtype=np.uint8)
    sheet = np.pad(below(paper, matrix), ((0, 6), (6, 6), (0, 0)), constant_values=255)
    return titled(title, sheet, note="rows: true   columns: predicted, same order")


def _matrix(rates: NDArray[np.float64], side: int) -> Picture:
    right = np.eye(len(rates), dtype=bool)[..., None]
    colors = np.array(PAPER) + (np.where(right, GREEN, RED) - np.array(PAPER)) * rates[..., None]
    matrix: Picture = np.round(colors).astype(np.uint8).repeat(side, axis=0).repeat(side, axis=1)
    if side >= 8:
        matrix[side - 1 :: side] = _LINE
        matrix[:, side - 1 :: side] = _LINE
    if side >= 36:
        for row, column in zip(*np.nonzero(rates >= 0.005), strict=True):
            cell = matrix[row * side : (row + 1) * side, column * side : (column + 1) * side]
            _write(cell, f"{100 * rates[row, column]:.0f}", PAPER if rates[row, column] > 0.6 else INK)
    return matrix


def _write(cell: Picture, text: str, color: tuple[int, int, int]) -> None:
    """Write a text into the middle of a cell, in place."""
    side = len(cell)
    letters = 1 - text_strip(text, side - 6, color=(0, 0, 0), size=round(0.4 * side), centered=True)[..., :1] / 255
    top = (side - len(letters)) // 2
    inner = cell[top : top + len(letters), 3:-3]
    inner[:] = np.round(inner * (1 - letters) + np.array(color) * letters)


def _labels(names: Sequence[str], side: int) -> Picture:
    size = min(letters(side * len(names) + 90), side - 5)  # the names take about 90 pixels
    width = min(160, max(text_width(name, size) for name in names)) + 8
    labels = np.full((side * len(names), width, 3), PAPER, dtype=np.uint8)
    for row, name in enumerate(names):
        text = text_strip(name, width - 8, size=size)
        top = row * side + (side - len(text)) // 2
        labels[top : top + len(text), : width - 8] = text
    return labels
