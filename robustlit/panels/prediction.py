"""What the model is asked, what it says, and whether that is right."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.panels.grid import below, display_size, frame, grid, titled, to_pictures
from robustlit.panels.overlay import legend, mark, overlay, palette
from robustlit.panels.text import GREEN, GREY, RED, Picture, letters, text_strip

__all__ = ["classification_panel", "multilabel_panel", "segmentation_panel"]

Names = Sequence[str] | None
_COLUMNS = 4
_ROWS = 8


def classification_panel(
    images: Tensor, targets: Tensor, logits: Tensor, class_names: Names = None, title: str = ""
) -> Picture:
    """Show images with the true class, and the predicted one with its probability; green if right, red if wrong.

    Args:
        images: Float N×C×H×W in [0, 1].
        targets: Classes N, or class probabilities N×K.
        logits: N×K.
        class_names: K names; default the numbers.
        title: The line at the top.

    Returns:
        One picture, at most 8 rows of 4.
    """
    truth = (targets if targets.ndim == 1 else targets.argmax(1)).tolist()
    confidence, predicted = logits.detach().float().softmax(1).max(1)
    captions = [
        (_name(true, class_names), f"{probability:.2f} {_name(guess, class_names)}", true == guess)
        for true, guess, probability in zip(truth, predicted.tolist(), confidence.tolist(), strict=True)
    ]
    return _captioned(images, captions, title)


def multilabel_panel(
    images: Tensor, targets: Tensor, logits: Tensor, class_names: Names = None, title: str = ""
) -> Picture:
    """Show images with the true labels, and those predicted at 0.5 with their probabilities; green if all are right.

    Args:
        images: Float N×C×H×W in [0, 1].
        targets: Zeros and ones N×K.
        logits: N×K.
        class_names: K names; default the numbers.
        title: The line at the top.

    Returns:
        One picture, at most 8 rows of 4.
    """
    probabilities = logits.detach().float().sigmoid().cpu()
    truth, guess = targets.cpu() > 0.5, probabilities > 0.5
    captions = []
    for row in range(len(images)):
        true = ", ".join(_name(label, class_names) for label in truth[row].nonzero().flatten().tolist())
        said = ", ".join(
            f"{probabilities[row, label]:.2f} {_name(label, class_names)}"
            for label in guess[row].nonzero().flatten().tolist()
        )
        captions.append((true or "none", said or "none", bool((truth[row] == guess[row]).all())))
    return _captioned(images, captions, title)


def segmentation_panel(
    images: Tensor,
    targets: Tensor,
    logits: Tensor,
    class_names: Names = None,
    ignore_index: int | None = None,
    title: str = "",
) -> Picture:
    """Show image, true mask, predicted mask and errors side by side, with a legend of the classes that occur.

    Args:
        images: Float N×C×H×W in [0, 1].
        targets: Classes N×H×W, or a binary mask N×1×H×W.
        logits: N×K×H×W, or N×1×H×W for a binary mask.
        class_names: K names; default the numbers.
        ignore_index: Target value of pixels that do not count; they are white among the errors.
        title: The line at the top.

    Returns:
        One picture with a row for each of the first 8 images.
    """
    binary = logits.shape[1] == 1
    size = display_size(*images.shape[-2:])
    truth = _masks(targets.squeeze(1) if targets.ndim == 4 else targets, size)
    guess = _masks(logits.squeeze(1) > 0 if binary else logits.argmax(1), size)
    colors = palette(2 if binary else logits.shape[1])
    heads = ("image", "truth", "prediction", "wrong (red)")
    height = letters(_COLUMNS * size[1])
    cells = []
    for picture, true, said in zip(to_pictures(images[:_ROWS]), truth, guess, strict=False):
        ignored = np.zeros_like(true, dtype=bool) if ignore_index is None else true == ignore_index
        wrong = (true != said) & ~ignored
        note = f"{wrong.sum() / max(1, (~ignored).sum()):.1%} wrong"
        row = [picture, overlay(picture, true, colors), overlay(picture, said, colors), mark(picture, wrong, ignored)]
        cells += [*row[:3], below(row[3], text_strip(note, size[1], color=GREY, size=height))]
    cells[:4] = [
        below(text_strip(head, size[1], size=height), cell) for head, cell in zip(heads, cells[:4], strict=True)
    ]
    sheet = below(grid(cells[:4], 4), grid(cells[4:], 4)) if len(cells) > 4 else grid(cells, 4)
    shown = [index for index in range(len(colors)) if (truth == index).any() or (guess == index).any()]
    names = [_name(index, class_names) for index in shown]
    return titled(title, sheet, legend(names, colors[shown], sheet.shape[1]))


def _captioned(images: Tensor, captions: Sequence[tuple[str, str, bool]], title: str) -> Picture:
    limit = _ROWS * _COLUMNS
    cells = []
    for picture, (true, said, right) in zip(to_pictures(images[:limit]), captions, strict=False):
        color = GREEN if right else RED
        framed = frame(picture, color)
        width = framed.shape[1]
        height = letters(width * min(_COLUMNS, len(captions)))
        lines = [text_strip(true, width, color=GREY, size=height), text_strip(said, width, color=color, size=height)]
        cells.append(below(framed, *lines))
    return titled(title, grid(cells, _COLUMNS), note="grey: true   green, red: predicted")


def _masks(masks: Tensor, size: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    resized = F.interpolate(masks[:_ROWS, None].detach().cpu().double(), size, mode="nearest")
    return resized[:, 0].to(torch.int64).numpy()


def _name(index: int, class_names: Names) -> str:
    return class_names[index] if class_names is not None and 0 <= index < len(class_names) else str(index)
