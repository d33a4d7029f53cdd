"""Channel statistics against numpy."""

import numpy as np
import pytest

from robustlit.augmentations.channel_statistics import affine_between, channel_statistics, moments
from tests.augmentations.style_cases import pictures


@pytest.mark.parametrize("channels", [1, 3])
def test_has_the_moments_of_the_style(channels) -> None:
    images, styles = pictures(4, channels), pictures(4, channels)
    result = channel_statistics(images, affine_between(moments(images), moments(styles))).double().numpy()
    np.testing.assert_allclose(result.mean((2, 3)), styles.double().numpy().mean((2, 3)), atol=1e-5)
    np.testing.assert_allclose(result.std((2, 3)), styles.double().numpy().std((2, 3)), atol=1e-5)
    scale = styles.double().numpy().std((2, 3)) / images.double().numpy().std((2, 3))
    centred = images.numpy() - images.numpy().mean((2, 3), keepdims=True)
    expected = centred * scale[..., None, None] + styles.numpy().mean((2, 3), keepdims=True)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_a_flat_image_takes_the_mean_alone() -> None:
    flat, styles = pictures(1) * 0 + 0.4, pictures(1)
    result = channel_statistics(flat, affine_between(moments(flat), moments(styles)))
    np.testing.assert_allclose(result.numpy(), styles.mean((2, 3), keepdim=True).expand_as(flat).numpy(), atol=1e-4)
