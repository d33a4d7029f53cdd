"""What an attack changed, and what the model says of it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from robustlit.panels.grid import below, display_size, grid, titled, to_pictures
from robustlit.panels.overlay import overlay, palette
from robustlit.panels.text import GREEN, GREY, INK, RED, Color, Picture, letters, text_strip

__all__ = ["Answer", "adversarial_masks", "adversarial_panel", "shown_change"]

_ROWS = 8
_COLUMNS = 4


class Answer(NamedTuple):
    """What the model says of an image.

    Args:
        words: The class, or the share that is right.
        confidence: In [0, 1]; None where there is none.
        right: Whether it is right.
    """

    words: str
    confidence: float | None
    right: bool


def shown_change(clean: Tensor, adversarial: Tensor) -> tuple[Tensor, float]:
    """Return what was added, on grey and as strong as it can be shown, and how many times stronger than it is.

    The factor is the same for all images, a whole number where it is more than one.

    Args:
        clean: Float N×C×H×W in [0, 1].
        adversarial: The same images attacked.

    Example:
        >>> clean = torch.zeros(1, 1, 1, 2)
        >>> shown_change(clean, clean + torch.tensor([0.0, 0.1]))
        (tensor([[[[0.5000, 1.0000]]]]), 5.0)
    """
    change = adversarial.float() - clean.float()
    largest = float(change.abs().max()) if change.numel() else 0.0
    factor = 0.5 / largest if largest > 0 else 1.0
    if factor > 1:
        factor = float(round(factor))
    return (0.5 + factor * change).clamp(0, 1), factor


def adversarial_panel(
    clean: Tensor,
    adversarial: Tensor,
    truth: Sequence[str],
    before: Sequence[Answer],
    after: Sequence[Answer],
    title: str = "",
    note: str = "",
) -> Picture:
    """Show images clean, what the attack added, and attacked, each with what the model says: green right, red wrong.

    Args:
        clean: Float N×C×H×W in [0, 1].
        adversarial: The same images attacked.
        truth: N true answers.
        before: N answers to the clean images.
        after: N answers to the attacked images.
        title: The line at the top.
        note: The grey line below it; the attack with norm, eps and steps belongs here.

    Returns:
        One picture with a row for each of the first 8 images.

    Raises:
        ValueError: If there is no image.
    """
    if not len(clean):
        raise ValueError("expected at least one image, got none; try a larger budget")
    clean, adversarial = clean[:_ROWS], adversarial[:_ROWS]
    change, factor = shown_change(clean, adversarial)
    width = display_size(*clean.shape[-2:])[1]
    size = letters(_COLUMNS * width)
    heads = _heads(("clean", f"change x{factor:.3g}", "attacked", "model says"), width, size)
    pictures = zip(*(to_pictures(each) for each in (clean, change, adversarial)), strict=True)
    words = (_answers(*each, width, size) for each in zip(truth, before, after, strict=False))
    rows = [[*shown, said] for shown, said in zip(pictures, words, strict=False)]
    return titled(title, _sheet(heads, rows), note=note)


def adversarial_masks(
    clean: Tensor,
    adversarial: Tensor,
    masks: Tensor,
    before: Tensor,
    after: Tensor,
    num_classes: int,
    ignore_index: int | None = None,
    title: str = "",
    note: str = "",
) -> Picture:
    """Show images attacked, what the attack added, and the predicted masks of the clean and of the attacked image.

    Args:
        clean: Float N×C×H×W in [0, 1].
        adversarial: The same images attacked.
        masks: True classes, int64 N×H×W.
        before: Predicted classes of the clean images, int64 N×H×W.
        after: Those of the attacked images.
        num_classes: K.
        ignore_index: Target value of pixels that do not count.
        title: The line at the top.
        note: The grey line below it.

    Returns:
        One picture with a row for each of the first 8 images.
    """
    clean, adversarial = clean[:_ROWS], adversarial[:_ROWS]
    change, factor = shown_change(clean, adversarial)
    height, width = display_size(*clean.shape[-2:])
    size, colors = letters(_COLUMNS * width), palette(num_classes)
    heads = _heads((f"change x{factor:.3g}", "attacked", "clean says", "attacked says"), width, size)
    counted = torch.ones_like(masks, dtype=torch.bool) if ignore_index is None else masks != ignore_index
    rows = []
    pictures = zip(*(to_pictures(each) for each in (clean, change, adversarial)), strict=True)
    for place, (plain, added, attacked) in enumerate(pictures):
        said = [
            _mask_cell(picture, guess[place], masks[place], counted[place], colors, (height, width), size)
            for picture, guess in ((plain, before), (attacked, after))
        ]
        rows.append([added, attacked, *said])
    return titled(title, _sheet(heads, rows), note=note)


def _heads(texts: Sequence[str], width: int, size: int) -> list[Picture]:
    return [text_strip(text, width, color=GREY, size=size) for text in texts]


def _sheet(heads: Sequence[Picture], rows: Sequence[Sequence[Picture]]) -> Picture:
    """Tile rows, the first under the heads of the columns."""
    first = grid([below(head, cell) for head, cell in zip(heads, rows[0], strict=True)], _COLUMNS)
    rest = [cell for row in rows[1:] for cell in row]
    return below(first, grid(rest, _COLUMNS)) if rest else first


def _answers(truth: str, before: Answer, after: Answer, width: int, size: int) -> Picture:
    """Return a block of text: the true answer, and the two of the model."""
    lines: list[tuple[str, Color]] = [("true", GREY), (truth, INK)]
    for head, answer in (("clean", before), ("attacked", after)):
        sure = "" if answer.confidence is None else f"{answer.confidence:.2f} "
        lines += [(head, GREY), (f"{sure}{answer.words}", GREEN if answer.right else RED)]
    return np.concatenate([text_strip(text, width, color=color, size=size) for text, color in lines])


def _mask_cell(
    picture: Picture, guess: Tensor, true: Tensor, counted: Tensor, colors: Picture, shape: tuple[int, int], size: int
) -> Picture:
    """Return a predicted mask on its image, with the share of its pixels that are wrong."""
    wrong = float(((guess != true) & counted).sum() / counted.sum().clamp(min=1))
    resized = torch.nn.functional.interpolate(guess[None, None].double().cpu(), shape, mode="nearest")[0, 0]
    return below(
        overlay(picture, resized.to(torch.int64).numpy(), colors),
        text_strip(f"{wrong:.1%} wrong", shape[1], color=GREY, size=size),
    )
