import numpy as np
import pytest
import torch
from scipy import ndimage

from robustlit.corruptions.base import Draws
from robustlit.corruptions.blur.defocus_blur import DefocusBlur, defocus_blur, disk
from tests.corruptions import golden

LEVELS = sorted({level for table in DefocusBlur.levels.values() for level in table})


@pytest.mark.parametrize("preset", ["imagenet", "cifar"])
@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(preset, severity):
    arrays = golden.arrays(preset)
    ours = DefocusBlur().apply(golden.unit(arrays["input"]), Draws(), DefocusBlur().level(preset, severity))
    largest, mean = golden.difference(ours, arrays[f"defocus_blur_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.15


@pytest.mark.parametrize("level", LEVELS)
def test_equals_a_convolution_in_the_plane(level):
    images = torch.rand(1, 1, 27, 40, generator=torch.Generator().manual_seed(0))
    kernel = disk(*level).numpy()
    wanted = ndimage.correlate(images[0, 0].double().numpy(), kernel, mode="mirror")
    assert np.abs(defocus_blur(images, *level)[0, 0].numpy() - wanted).max() < 2e-6


@pytest.mark.parametrize("level", LEVELS)
def test_the_kernel_is_a_disk_smoothed_on_a_mirrored_grid(level):
    radius, sigma = level
    half, side = (8, 1) if radius <= 8 else (radius, 2)
    line = np.arange(-half, half + 1)
    inside = (line[:, None] ** 2 + line**2 <= radius**2).astype(float)
    taps = np.exp(-(np.arange(-side, side + 1) ** 2) / (2 * sigma**2))
    wanted = inside / inside.sum()
    for axis in (0, 1):
        wanted = ndimage.correlate1d(wanted, taps / taps.sum(), axis=axis, mode="mirror")
    kernel = disk(radius, sigma).numpy()
    border = half - kernel.shape[0] // 2
    assert np.allclose(np.pad(kernel, border), wanted, atol=1e-15)


def test_one_image_does_not_depend_on_the_others_with_one_channel():
    images = torch.rand(5, 1, 40, 56, generator=torch.Generator().manual_seed(0))
    alone = torch.cat([defocus_blur(images[i : i + 1], 6, 0.5) for i in range(5)])
    assert torch.equal(defocus_blur(images, 6, 0.5), alone)
