import numpy as np
import pytest
import torch
from scipy import ndimage

from robustlit.corruptions.base import Draws
from robustlit.corruptions.blur.zoom_blur import ZoomBlur, zoom_blur, zoom_factors
from tests.corruptions import golden

ENDS = sorted({level for table in ZoomBlur.levels.values() for level in table})


@pytest.mark.parametrize("preset", ["imagenet", "cifar"])
@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(preset, severity):
    arrays = golden.arrays(preset)
    ours = ZoomBlur().apply(golden.unit(arrays["input"]), Draws(), ZoomBlur().level(preset, severity))
    largest, mean = golden.difference(ours, arrays[f"zoom_blur_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.02


@pytest.mark.parametrize(("end", "step"), ENDS)
def test_factors_are_those_of_numpys_arange(end, step):
    assert zoom_factors(end, step) == tuple(np.arange(1, end, step))


@pytest.mark.parametrize("size", [(16, 45), (101, 72), (64, 64)])
@pytest.mark.parametrize("level", [(1.26, 0.01), (1.31, 0.03)])
def test_equals_scipys_zoom_of_both_sides(size, level):
    image = np.random.default_rng(0).random(size)
    total = image.copy()
    for factor in np.arange(1, *level):
        kept = [int(np.ceil(length / factor)) for length in size]
        first = [(length - part) // 2 for length, part in zip(size, kept, strict=True)]
        middle = image[first[0] : first[0] + kept[0], first[1] : first[1] + kept[1]]
        zoomed = ndimage.zoom(middle, factor, order=1, mode="nearest")
        extra = [(now - length) // 2 for now, length in zip(zoomed.shape, size, strict=True)]
        total += zoomed[extra[0] : extra[0] + size[0], extra[1] : extra[1] + size[1]]
    wanted = total / (len(np.arange(1, *level)) + 1)
    ours = zoom_blur(torch.from_numpy(image).float()[None, None], (1.0, *zoom_factors(*level)))
    assert np.abs(ours[0, 0].numpy() - wanted).max() < 1e-6


def test_masks_move_by_the_mean_factor_and_keep_their_labels():
    masks = torch.zeros(2, 100, 60, dtype=torch.int16)
    masks[:, 30:70, 20:40] = 7
    moved = ZoomBlur().warp(masks, Draws(), (1.31, 0.03))
    factors = (1.0, *zoom_factors(1.31, 0.03))
    mean = sum(factors) / len(factors)
    assert moved.dtype == torch.int16
    assert set(moved.unique().tolist()) == {0, 7}
    assert moved[0, 50].count_nonzero().item() == pytest.approx(20 * mean, abs=1)
    assert moved[1, :, 30].count_nonzero().item() == pytest.approx(40 * mean, abs=1)
    assert torch.equal(ZoomBlur().warp(masks, Draws(), (1.001, 0.01)), masks)
