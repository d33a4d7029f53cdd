"""What a model looks at in some images, and what it says of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from robustlit.panels.grid import display_size, titled, to_pictures
from robustlit.panels.maps import difference, glow, heat, strongest
from robustlit.panels.table import Words, bordered, column_head, room_for_words, scale_bar, table, words_cell
from robustlit.panels.text import GREY, Picture, text_strip

__all__ = ["explanation_panel", "map_tiles", "pair_panel"]

_ROWS = 8


def explanation_panel(
    images: Tensor,
    maps: Mapping[str, Tensor],
    words: Sequence[Words],
    title: str = "",
    note: str = "",
    over_image: Sequence[str] = ("grad_cam",),
    says: str = "true, predicted",
) -> Picture:
    """Show images beside their maps and what the model says; bordered solid green if right, dashed red if wrong.

    Args:
        images: Float N×C×H×W in [0, 1].
        maps: N×H×W by the name of the column; a map of zeros is hatched.
        words: N of them.
        title: The line at the top.
        note: The grey line below it: method and layer.
        over_image: The columns whose maps are laid over the image; the others are shown by themselves.
        says: The head of the column of words.

    Returns:
        One picture with a row for each of the first 8 images.

    Raises:
        ValueError: If there is no image.
    """
    images, maps = _checked(images), {name: values[:_ROWS] for name, values in maps.items()}
    height, width = display_size(*images.shape[-2:])
    room, size = room_for_words(1 + len(maps), width)
    columns = [[bordered(tile, each.right) for tile, each in zip(to_pictures(images), words, strict=False)]]
    columns += [map_tiles(name, images, values, over_image) for name, values in maps.items()]
    columns.append([words_cell(each, room, height, size) for each in words[: len(images)]])
    heads = ["image", *(column_head(name) for name in maps), says]
    sheet = table(heads, list(zip(*columns, strict=True)), size)
    return titled(title, sheet, scale_bar(sheet.shape[1], size), note=note)


def map_tiles(name: str, images: Tensor, maps: Tensor, over_image: Sequence[str]) -> list[Picture]:
    """Return the tiles of a column of maps: laid over the images, or by themselves."""
    return glow(images, maps) if name in over_image else heat(maps)


def pair_panel(
    clean: tuple[Tensor, Tensor, Sequence[Words]],
    changed: tuple[Tensor, Tensor, Sequence[Words]],
    alike: Sequence[float],
    explained: Sequence[str],
    title: str = "",
    note: str = "",
    method: str = "grad_cam",
) -> Picture:
    """Show images in two rows each, clean above changed, with maps of the same class on one scale, and what changed.

    Args:
        clean: Images N×C×H×W, maps N×H×W and N words.
        changed: The same of the changed images.
        alike: The cosine of each pair of maps; NaN where there is none.
        explained: What the maps of each pair speak for.
        title: The line at the top.
        note: The grey line below it.
        method: The name of the maps.

    Returns:
        One picture with two rows for each of the first 4 images.

    Raises:
        ValueError: If there is no image.
    """
    rows = _ROWS // 2
    first, second = _checked(clean[0])[:rows], changed[0][:rows]
    before, after = clean[1][:rows], changed[1][:rows]
    height, width = display_size(*first.shape[-2:])
    room, size = room_for_words(3, width)
    top = strongest(before).maximum(strongest(after))
    sides = [
        zip(to_pictures(images), glow(images, maps, top), words, strict=False)
        for images, maps, words in ((first, before, clean[2]), (second, after, changed[2]))
    ]
    changes = difference(before, after)
    cells: list[list[Picture]] = []
    for upper, lower, change, cosine, goal in zip(*sides, changes, alike, explained, strict=False):
        words = [text_strip(line, width, color=GREY, size=size) for line in ("both for", goal, f"cosine {cosine:.2f}")]
        for (image, glowing, said), last in ((upper, np.concatenate(words)), (lower, change)):
            cells.append([bordered(image, said.right), glowing, last, words_cell(said, room, height, size)])
    heads = ["image", column_head(method), "difference", "says"]
    sheet = table(heads, cells, size)
    return titled(title, sheet, scale_bar(sheet.shape[1], size, high="strongest of each pair"), note=note)


def _checked(images: Tensor) -> Tensor:
    if not len(images):
        raise ValueError("expected at least one image, got none; try a larger budget")
    return images[:_ROWS]
