"""Painting-by-Numbers pixel by pixel."""

import pytest
import torch

from robustlit.augmentations import PaintingByNumbers
from robustlit.augmentations.painting_by_numbers import class_colors
from tests.augmentations.style_cases import pictures, seeds


@pytest.mark.parametrize("channels", [1, 3])
def test_pixel_by_pixel(channels) -> None:
    op, images = PaintingByNumbers(4, alpha=(0.2, 0.8), p=0.6), pictures(6, channels)
    masks = torch.randint(0, 6, (6, 24, 33))
    masks[masks == 5] = 255
    before, params = masks.clone(), op.sample(images.shape, seeds(6))
    result = op.apply(images, params, masks)
    colors = class_colors(4, channels, 0, torch.device("cpu"))
    assert torch.equal(masks, before) and 0 < params.chosen.sum() < 6
    assert params.alpha.min() >= 0.2 and params.alpha.max() <= 0.8 and len(params.alpha.unique()) == 6
    for i in range(6):
        for y in range(24):
            for x in range(33):
                pixel, number = images[i, :, y, x], int(masks[i, y, x])
                if params.chosen[i] and number < 4:
                    expected = pixel + params.alpha[i] * (colors[number] - pixel)
                    assert torch.allclose(result[i, :, y, x], expected, atol=1e-6)
                else:  # no class: 4, and the ignore index
                    assert torch.equal(result[i, :, y, x], pixel)


def test_an_ignored_class_keeps_its_colour() -> None:
    images, masks = pictures(3), torch.randint(0, 3, (3, 24, 33), dtype=torch.uint8)
    result = PaintingByNumbers(3, p=1.0, ignore_index=1)(images, 0, masks)
    kept = (masks == 1)[:, None].expand(-1, 3, -1, -1)
    assert torch.equal(result[kept], images[kept]) and (result[~kept] != images[~kept]).float().mean() > 0.9


def test_colours_are_fixed_and_differ() -> None:
    colors = class_colors(20, 3, 0, torch.device("cpu"))
    assert torch.equal(colors[:5], class_colors(5, 3, 0, torch.device("cpu"))) and len(colors.unique(dim=0)) == 20
    assert not torch.equal(colors, class_colors(20, 3, 1, torch.device("cpu")))
    distances = torch.cdist(colors, colors).fill_diagonal_(1)
    assert distances.min() > 0.3  # of at most sqrt(3)


def test_same_for_any_batch() -> None:
    op, images, masks = PaintingByNumbers(3), pictures(5), torch.randint(0, 3, (5, 24, 33))
    whole = op(images, seeds(5), masks)
    alone = [op(images[i : i + 1], seeds(5)[i : i + 1], masks[i : i + 1]) for i in range(5)]
    assert torch.equal(torch.cat(alone), whole)


def test_wrong_use() -> None:
    with pytest.raises(
        ValueError, match=r"expected class masks of shape \(2, 24, 33\) for PaintingByNumbers, got none"
    ):
        PaintingByNumbers(3)(pictures(2))
    with pytest.raises(ValueError, match="expected num_classes of at least 1, got None"):
        PaintingByNumbers(None)
