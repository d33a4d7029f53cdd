import pytest
import torch

from robustlit.corruptions.ops.spline import coefficients, cubic_resize, cubic_sample

ndimage = pytest.importorskip("scipy.ndimage")


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, 3, 19, 26, generator=torch.Generator().manual_seed(0))


def test_coefficients_are_scipy_s_spline_filter(images):
    wanted = ndimage.spline_filter(images[1, 2].double().numpy(), mode="mirror")
    assert abs(coefficients(images)[1, 2].numpy() - wanted).max() < 2e-6


def test_sampling_is_scipy_s_map_coordinates_and_black_outside(images):
    draw = torch.Generator().manual_seed(1)
    rows, columns = torch.rand(9, 11, generator=draw) * 24 - 3, torch.rand(9, 11, generator=draw) * 32 - 3
    wanted = ndimage.map_coordinates(images[1, 2].double().numpy(), torch.stack((rows, columns)).double().numpy())
    found = cubic_sample(coefficients(images), rows, columns)[1, 2].numpy()
    assert abs(found - wanted).max() < 2e-5
    assert (wanted == 0).sum() > 10


@pytest.mark.parametrize("prefilter", [True, False])
def test_resizing_is_scipy_s_zoom(images, prefilter):
    tall, wide = 24, 33
    rows, columns = torch.arange(tall) * (18 / (tall - 1)), torch.arange(wide) * (25 / (wide - 1))
    inner = slice(0, -1)  # scipy may find the last place just outside
    wanted = ndimage.zoom(images[1, 2].double().numpy(), (tall / 19, wide / 26), prefilter=prefilter)[inner, inner]
    source = coefficients(images) if prefilter else images
    found = cubic_resize(source, rows, columns)[1, 2].numpy()[inner, inner]
    assert abs(found - wanted).max() < 2e-5
