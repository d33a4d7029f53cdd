"""CutMix pixel by pixel, its labels by area, and its masks with the images."""

import math

import pytest
import torch

from robustlit.augmentations import CutMix
from robustlit.augmentations.regions import inside_box
from tests.augmentations.style_cases import pictures, seeds


def test_pixel_by_pixel() -> None:
    op, images = CutMix(p=0.7), pictures(8)
    masks = torch.randint(0, 5, (8, 24, 33), dtype=torch.uint8)
    params, before = op.sample(images.shape, seeds(8)), masks.clone()
    result, pasted = op.apply(images, params), op.change_targets(masks, params, 5)
    channel = op.change_targets(masks[:, None], params, 5)
    assert pasted.dtype == torch.uint8 and torch.equal(masks, before) and torch.equal(channel[:, 0], pasted)
    soft = op.change_targets(torch.arange(8), params, 8)
    for i in range(8):
        other, count = int(params.partner[i]), 0
        for y in range(24):
            for x in range(33):
                inside = params.top[i] <= y < params.bottom[i] and params.left[i] <= x < params.right[i]
                source = other if inside else i
                count += bool(inside)
                assert torch.equal(result[i, :, y, x], images[source, :, y, x])
                assert pasted[i, y, x] == masks[source, y, x]
        assert count == 0 or params.chosen[i]
        assert soft[i, i] == pytest.approx(1 - count / (24 * 33), abs=1e-6)
        assert soft[i, other] == pytest.approx(count / (24 * 33), abs=1e-6)


def test_all_at_once_is_the_same() -> None:
    """What runs on CUDA."""
    op, images = CutMix(), pictures(8)
    params = op.sample(images.shape, seeds(8))
    inside = inside_box(params.top, params.left, params.bottom, params.right, (24, 33))
    assert torch.equal(op.apply(images, params), torch.where(inside[:, None], images[params.partner], images))


def test_sides_follow_the_share() -> None:
    """With a uniform share u the box has the sides √u, so a box is uncut with probability ∫ (1 - √u)² du = 1/6."""
    params = CutMix().sample(torch.Size((20_000, 1, 1000, 2000)), seeds(20_000))
    inner = (params.top > 0) & (params.left > 0) & (params.bottom < 1000) & (params.right < 2000)
    height, width = (params.bottom - params.top)[inner], (params.right - params.left)[inner]
    assert abs(inner.double().mean() - 1 / 6) < 5 * math.sqrt(5 / 36 / 20_000)
    assert (width - 2 * height).abs().max() <= 1
    centre = (params.top + params.bottom)[inner & (params.bottom - params.top < 50)].double() / 2
    assert abs(centre.mean() - 500) < 5 * 1000 / math.sqrt(12 * len(centre))


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match="expected alpha above 0, got -1"):
        CutMix(alpha=-1)
