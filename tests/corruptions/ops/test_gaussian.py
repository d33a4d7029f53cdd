import numpy as np
import pytest
import torch
from scipy import ndimage

from robustlit.corruptions.ops.gaussian import gaussian_blur


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("mode", ["nearest", "reflect"])
@pytest.mark.parametrize(
    ("sigma", "truncate"), [(0.1, 4.0), (0.4, 4.0), (3.0, 4.0), (6.0, 4.0), (20.0, 3.0), (170.0, 3.0)]
)
def test_equals_scipy(mode, sigma, truncate):
    images = noise(2, 1, 70, 37)
    ours = gaussian_blur(images, sigma, mode=mode, truncate=truncate)
    for image, found in zip(images, ours, strict=True):
        wanted = ndimage.gaussian_filter(image[0].double().numpy(), sigma, mode=mode, truncate=truncate)
        assert np.abs(found[0].numpy() - wanted).max() < 1e-6


@pytest.mark.parametrize("shape", [(9, 3, 32, 32), (5, 1, 16, 16), (5, 1, 90, 131), (7, 3, 90, 131)])
@pytest.mark.parametrize("sigma", [0.4, 1.0, 6.0])
def test_one_image_does_not_depend_on_the_others(shape, sigma):
    images = noise(*shape)
    whole = gaussian_blur(images, sigma)
    for size in (1, 2, 4):
        parts = [gaussian_blur(images[start : start + size], sigma) for start in range(0, len(images), size)]
        assert torch.equal(torch.cat(parts), whole)


def test_no_blur_gives_a_copy():
    images = noise(1, 3, 16, 16)
    found = gaussian_blur(images, 0.0)
    assert torch.equal(found, images)
    assert found.data_ptr() != images.data_ptr()


def test_an_unknown_edge_is_an_error():
    with pytest.raises(ValueError, match="expected mode 'nearest' or 'reflect', got 'wrap'"):
        gaussian_blur(noise(1, 1, 16, 16), 1.0, mode="wrap")
