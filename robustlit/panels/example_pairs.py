"""The same images before and after something happened to them, with what a model says."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from robustlit.panels.grid import below, frame, grid, to_pictures
from robustlit.panels.text import GREEN, GREY, RED, Picture, letters, text_strip

__all__ = ["example_pairs"]

_FRAME = 3  # pixels


def example_pairs(clean: Tensor, changed: Tensor, truth: Sequence[str], predicted: Sequence[str]) -> Picture:
    """Show images in columns: clean with the true answer above, changed with the model's below.

    Args:
        clean: Float N×C×H×W in [0, 1].
        changed: The same images changed.
        truth: N true answers.
        predicted: N answers for the changed images.

    Returns:
        One picture. Frames are green where the answer is right and red where it is wrong; the words tell it too.

    Raises:
        ValueError: If there is no image.
    """
    if not len(clean):
        raise ValueError("expected at least one image, got none; try a larger budget")
    columns = []
    pictures = [to_pictures(images) for images in (clean, changed)]
    size = letters(len(pictures[0]) * pictures[0][0].shape[1]) * 2 // 3
    for before, after, true, said in zip(*pictures, truth, predicted, strict=True):
        color = GREEN if true == said else RED
        upper, lower = frame(before, (200, 202, 206), _FRAME), frame(after, color, _FRAME)
        width = upper.shape[1]
        lines = [text_strip(words, width, color=ink, size=size) for words, ink in ((true, GREY), (said, color))]
        columns.append(np.ascontiguousarray(below(upper, lines[0], lower, lines[1])))
    return grid(columns, len(columns))
