"""What a segmentation network looks at."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.panels.explanation import map_tiles
from robustlit.panels.grid import below, display_size, titled, to_pictures
from robustlit.panels.maps import difference, glow, strongest
from robustlit.panels.overlay import legend, mark, overlay, palette
from robustlit.panels.table import column_head, fitting, scale_bar, table
from robustlit.panels.text import GREY, Picture, letters, text_strip

__all__ = ["mask_explanation_panel", "mask_pair_panel"]

_ROWS = 8


def mask_explanation_panel(
    images: Tensor,
    truth: Tensor | None,
    predicted: Tensor,
    maps: Mapping[str, Tensor],
    explained: Sequence[str],
    class_names: Sequence[str],
    *,
    ignore_index: int | None = None,
    title: str = "",
    note: str = "",
    over_image: Sequence[str] = ("grad_cam",),
) -> Picture:
    """Show image, truth, prediction, error and maps, with a legend of the classes that occur.

    Args:
        images: Float N×C×H×W in [0, 1].
        truth: True classes, int64 N×H×W; None where they are not known, without truth and error in the picture.
        predicted: Predicted classes, int64 N×H×W.
        maps: N×H×W by the name of the column; a map of zeros is hatched.
        explained: What each map speaks for, one word an image.
        class_names: K names.
        ignore_index: Target value of pixels that do not count; they are white among the errors.
        title: The line at the top.
        note: The grey line below it.
        over_image: The columns whose maps are laid over the image.

    Returns:
        One picture with a row for each of the first 8 images.

    Raises:
        ValueError: If there is no image.
    """
    images = _checked(images)[:_ROWS]
    height, width = display_size(*images.shape[-2:])
    size = letters((4 + len(maps)) * width)
    colors = palette(len(class_names))
    said = _shown(predicted[:_ROWS], (height, width))
    true = said if truth is None else _shown(truth[:_ROWS], (height, width))
    tiles = [map_tiles(name, images, values[:_ROWS], over_image) for name, values in maps.items()]
    rows = []
    for place, picture in enumerate(to_pictures(images)):
        row = [picture, overlay(picture, said[place], colors)]
        if truth is not None:
            error = _error(picture, true[place], said[place], ignore_index, size)
            row = [picture, overlay(picture, true[place], colors), row[1], error]
        rows.append(row + [below(column[place], _strip(explained[place], width, size)) for column in tiles])
    known = ["image", "prediction"] if truth is None else ["image", "truth", "prediction", "error"]
    heads = [*known, *(column_head(name) for name in maps)]
    sheet = table(heads, rows, size)
    return titled(
        title, sheet, scale_bar(sheet.shape[1], size), _names(true, said, colors, class_names, sheet), note=note
    )


def mask_pair_panel(
    clean: tuple[Tensor, Tensor, Tensor],
    changed: tuple[Tensor, Tensor, Tensor],
    truth: Tensor,
    alike: Sequence[float],
    heads: Sequence[str],
    class_names: Sequence[str],
    *,
    ignore_index: int | None = None,
    title: str = "",
    note: str = "",
    method: str = "grad_cam",
) -> Picture:
    """Show images in two rows each, clean above changed: image, prediction, error, map, and the maps' difference.

    Args:
        clean: Images N×C×H×W, predicted classes N×H×W and maps N×H×W of one class.
        changed: The same of the changed images.
        truth: True classes, int64 N×H×W.
        alike: The cosine of each pair of maps; NaN where there is none.
        heads: What was done to each changed image.
        class_names: K names.
        ignore_index: Target value of pixels that do not count.
        title: The line at the top.
        note: The grey line below it.
        method: The name of the maps.

    Returns:
        One picture with two rows for each of the first 4 images.

    Raises:
        ValueError: If there is no image.
    """
    count = _ROWS // 2
    first = _checked(clean[0])[:count]
    size_of = display_size(*first.shape[-2:])
    width, size, colors = size_of[1], letters(5 * size_of[1]), palette(len(class_names))
    true = _shown(truth[:count], size_of)
    top = strongest(clean[2][:count]).maximum(strongest(changed[2][:count]))
    changes = difference(clean[2][:count], changed[2][:count])
    sides = []
    for images, predicted, maps in (clean, changed):
        said = _shown(predicted[:count], size_of)
        sides.append((to_pictures(images[:count]), said, glow(images[:count], maps[:count], top)))
    rows = []
    for place in range(len(first)):
        lasts = (_strip(f"cosine {alike[place]:.2f}", width, size), changes[place])
        for (pictures, said, glowing), last, word in zip(sides, lasts, ("clean", heads[place]), strict=True):
            error = _error(pictures[place], true[place], said[place], ignore_index, size)
            picture = below(pictures[place], _strip(word, width, size))
            rows.append([picture, overlay(pictures[place], said[place], colors), error, glowing[place], last])
    sheet = table(["image", "prediction", "error", column_head(method), "difference"], rows, size)
    names = _names(true, np.concatenate([side[1] for side in sides]), colors, class_names, sheet)
    return titled(title, sheet, scale_bar(sheet.shape[1], size, high="strongest of each pair"), names, note=note)


def _names(true: np.ndarray, said: np.ndarray, colors: Picture, class_names: Sequence[str], sheet: Picture) -> Picture:  # type: ignore[type-arg]
    shown = [index for index in range(len(colors)) if (true == index).any() or (said == index).any()]
    return legend([class_names[index] for index in shown], colors[shown], sheet.shape[1])


def _error(picture: Picture, true: np.ndarray, said: np.ndarray, ignore_index: int | None, size: int) -> Picture:  # type: ignore[type-arg]
    """Show where a prediction is wrong, and write how much of it is."""
    ignored = np.zeros_like(true, dtype=bool) if ignore_index is None else true == ignore_index
    wrong = (true != said) & ~ignored
    share = wrong.sum() / max(1, (~ignored).sum())
    return below(mark(picture, wrong, ignored), _strip(f"{share:.0%} wrong", picture.shape[1], size))


def _strip(text: str, width: int, size: int) -> Picture:
    return text_strip(text, width, color=GREY, size=fitting(text, width, size))


def _shown(masks: Tensor, size: tuple[int, int]) -> np.ndarray:  # type: ignore[type-arg]
    resized = F.interpolate(masks[:, None].detach().cpu().double(), size, mode="nearest")
    found: np.ndarray = resized[:, 0].to(torch.int64).numpy()  # type: ignore[type-arg]
    return found


def _checked(images: Tensor) -> Tensor:
    if not len(images):
        raise ValueError("expected at least one image, got none; try a larger budget")
    return images
