"""What the worst cells look like."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from robustlit.panels.grid import below, frame, grid, titled, to_pictures
from robustlit.panels.text import GREEN, GREY, RED, Picture, letters, text_strip

__all__ = ["ExampleCell", "worst_cells"]

_CELLS = 6
_PAIRS = 2
_FRAME = 3  # pixels
_NOTE = "grey: clean, true class   green, red: corrupted, predicted class"


class ExampleCell(NamedTuple):
    """A cell, and images that show it.

    Args:
        label: The corruption.
        severity: 1 to 5.
        score: In [0, 1].
        clean: uint8, or float in [0, 1], M×C×H×W; the first two are drawn.
        corrupted: The same images corrupted.
        truth: M true answers.
        predicted: M answers for the corrupted images.
    """

    label: str
    severity: int | float
    score: float
    clean: Tensor
    corrupted: Tensor
    truth: Sequence[str]
    predicted: Sequence[str]


def worst_cells(examples: Sequence[ExampleCell], title: str = "", note: str = "") -> Picture:
    """Show the cells of the lowest scores, the lowest first: clean images beside the same ones corrupted.

    Args:
        examples: Cells with at least one image each, in any order; the six of the lowest scores are drawn.
        title: The line at the top.
        note: The grey line below it; how to read the pictures by default.

    Returns:
        One picture, a row a cell with two pairs of images.

    Raises:
        ValueError: If there is no cell.
    """
    if not examples:
        raise ValueError("expected at least one cell, got none; try a larger budget")
    worst = sorted(examples, key=lambda example: example.score)[:_CELLS]
    return titled(title, below(*(_row(example) for example in worst)), note=note or _NOTE)


def _row(example: ExampleCell) -> Picture:
    clean, corrupted = (_pictures(images[:_PAIRS]) for images in (example.clean, example.corrupted))
    width = 2 * _PAIRS * (clean[0].shape[1] + 2 * _FRAME + 6)
    pairs = [_pair(*each, letters(width)) for each in zip(clean, corrupted, example.truth, example.predicted)]  # noqa: B905
    sheet = grid(pairs, _PAIRS)
    sheet = np.pad(sheet, ((0, 0), (0, max(0, width - sheet.shape[1])), (0, 0)), constant_values=255)
    text = f"{example.label.replace('_', ' ')} {example.severity:g}: {100 * example.score:.1f} %"
    return np.pad(titled(text, sheet), ((8, 0), (0, 0), (0, 0)), constant_values=255)


def _pair(clean: Picture, corrupted: Picture, truth: str, predicted: str, size: int) -> Picture:
    color = GREEN if truth == predicted else RED
    images = [frame(clean, (200, 202, 206), _FRAME), frame(corrupted, color, _FRAME)]
    lines = [
        text_strip(text, image.shape[1], color=ink, size=size)
        for text, ink, image in zip((truth, predicted), (GREY, color), images, strict=True)
    ]
    return np.concatenate([below(image, line) for image, line in zip(images, lines, strict=True)], axis=1)


def _pictures(images: Tensor) -> list[Picture]:
    return to_pictures(images.float() / 255 if images.dtype == torch.uint8 else images)
