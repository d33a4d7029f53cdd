"""Cutout against a plain loop."""

import pytest
import torch

from robustlit.augmentations import Cutout
from robustlit.core.random import sample_seeds

SEEDS = sample_seeds(2, torch.arange(8))


@pytest.mark.parametrize(("shape", "fill"), [((3, 20, 31), (0.2, 0.5, 0.9)), ((1, 16, 16), 0.5), ((3, 9, 9), 1)])
def test_pixel_by_pixel(shape, fill) -> None:
    op, images = Cutout(11, fill, p=0.6, sample_up_to=True), torch.rand(8, *shape)
    params = op.sample(images.shape, SEEDS)
    result, expected = op.apply(images, params), images.clone()
    assert 0 < params.chosen.sum() < 8
    for i in range(8):
        for y in range(shape[1]):
            for x in range(shape[2]):
                row, column, side = y - int(params.top[i]), x - int(params.left[i]), int(params.side[i])
                if params.chosen[i] and 0 <= row < side and 0 <= column < side:
                    expected[i, :, y, x] = torch.tensor(fill)
    assert torch.equal(result, expected)


def test_same_for_any_batch() -> None:
    op, images = Cutout(9, p=0.5), torch.rand(8, 3, 16, 16)
    whole = op(images, SEEDS)
    assert torch.equal(torch.cat([op(images[i : i + 1], SEEDS[i : i + 1]) for i in range(8)]), whole)


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match=r"expected fill in \[0, 1\], got 2"):
        Cutout(fill=2)
    with pytest.raises(ValueError, match="expected fill of 1 or 3 levels, got 2"):
        Cutout(fill=(0.1, 0.2))(torch.rand(1, 3, 8, 8))
