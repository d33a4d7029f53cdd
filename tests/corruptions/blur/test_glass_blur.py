import numpy as np
import pytest
import torch
from scipy import ndimage

from robustlit.core.random import sample_seeds
from robustlit.corruptions.blur.glass_blur import GlassBlur, GlassBlurDraws, glass_blur
from tests.corruptions import golden
from tests.corruptions.replays.blur import REPLAYS


def sequential(image: np.ndarray, down: np.ndarray, right: np.ndarray, reach: int) -> np.ndarray:
    """The published loop, "swap" and all, on an H×W×C array; the offsets are those of one image."""
    x, (height, width) = image.copy(), image.shape[:2]
    for rows, columns in zip(down, right, strict=True):
        for h in range(height - reach, reach, -1):
            for w in range(width - reach, reach, -1):
                there = h + rows[h - reach - 1, w - reach - 1], w + columns[h - reach - 1, w - reach - 1]
                x[h, w], x[there] = x[there], x[h, w]
    return x


@pytest.mark.parametrize("preset", ["imagenet", "cifar"])
@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(preset, severity):
    arrays, level = golden.arrays(preset), GlassBlur().level(preset, severity)
    draws = REPLAYS["glass_blur"](golden.stream(severity), arrays["input"], level)
    ours = GlassBlur().apply(golden.unit(arrays["input"]), draws, level)
    largest, mean = golden.difference(ours, arrays[f"glass_blur_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.05


@pytest.mark.parametrize(("reach", "passes"), [(1, 2), (2, 3), (3, 2), (4, 2)])
def test_copies_are_those_of_the_sequential_loop(reach, passes):
    images = (torch.rand(3, 3, 19, 30, generator=torch.Generator().manual_seed(0)) * 255).floor() / 255
    draws = GlassBlur().sample(images.shape, sample_seeds(1, torch.arange(3)), (0.0, reach, passes))
    found = glass_blur(images, draws.down, draws.right, sigma=0.1, reach=reach)  # so small a sigma blurs nothing
    for image, down, right, ours in zip(images, draws.down, draws.right, found, strict=True):
        wanted = sequential(image.permute(1, 2, 0).numpy(), down.numpy(), right.numpy(), reach)
        assert np.abs(ours.permute(1, 2, 0).numpy() - wanted).max() < 1e-6


def test_a_chain_of_copies_along_a_whole_row_is_followed():
    shape = (1, 1, 16, 40)
    down, right = torch.zeros((2, 1, 1, 12, 36), dtype=torch.int64)
    right += 1
    columns = (torch.arange(40.0) / 255).expand(shape)
    found = glass_blur(columns, down, right, sigma=0.1, reach=2)[0, 0, 8] * 255
    assert found.round().tolist() == [0, 1, 2, *[39] * 36, 39]


@pytest.mark.parametrize("sigma", [0.25, 0.4, 0.7, 0.9, 1.0, 1.1, 1.5])
def test_uniform_areas_lose_a_level_where_float64_does(sigma):
    levels = np.arange(256)
    wanted = [np.floor(255 * ndimage.gaussian_filter(np.full((16, 16), level / 255), sigma)[8, 8]) for level in levels]
    images = (torch.arange(256.0) / 255).view(-1, 1, 1, 1).expand(-1, -1, 16, 16)
    stay = torch.zeros((256, 1, 14, 14), dtype=torch.int64)
    found = glass_blur(images, stay, stay, sigma=sigma, reach=1)[:, 0, 8, 8] * 255
    assert found.round().tolist() == wanted


def test_offsets_are_uniform_over_the_square():
    level = (1.1, 3, 2)
    draws = GlassBlur().sample(torch.Size((4, 3, 106, 106)), sample_seeds(0, torch.arange(4)), level)
    assert isinstance(draws, GlassBlurDraws)
    assert draws.down.shape == draws.right.shape == (4, 2, 100, 100)
    counts = torch.bincount(((draws.down + 3) * 6 + draws.right + 3).flatten(), minlength=36)
    expected = 4 * 2 * 100 * 100 / 36
    assert len(counts) == 36
    assert float(((counts - expected) ** 2 / expected).sum()) < 80  # chi-squared with 35 degrees of freedom
