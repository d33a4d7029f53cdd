import io

import numpy as np
import pytest
import torch
from PIL import Image

from robustlit.corruptions.base import Draws
from robustlit.corruptions.digital.jpeg_compression import JpegCompression, jpeg_compression

QUALITIES = (1, 7, 25, 49, 50, 80, 85, 100)


def picture(kind: str, height: int, width: int) -> np.ndarray:
    stream = np.random.RandomState(height + width)
    if kind == "noise":
        return stream.randint(0, 256, (height, width, 3)).astype(np.uint8)
    if kind == "corners":  # of the colour cube: the hardest edges there are
        return (stream.randint(0, 2, (height, width, 3)) * 255).astype(np.uint8)
    walk = stream.standard_normal((height, width, 3)).cumsum(0).cumsum(1)
    return np.clip(walk * 4 + 128, 0, 255).astype(np.uint8)


def through_pillow(pixels: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


def ours(pixels: np.ndarray, quality: int) -> np.ndarray:
    images = torch.from_numpy(np.atleast_3d(pixels)).permute(2, 0, 1)[None].float() / 255
    found = (jpeg_compression(images, quality)[0] * 255).round().byte().permute(1, 2, 0).numpy()
    return found.reshape(pixels.shape)


@pytest.mark.parametrize("kind", ["noise", "corners", "smooth"])
@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 19), (32, 32), (33, 47), (50, 64), (57, 90), (224, 224)])
def test_equals_pillow_bit_for_bit(height, width, kind):
    pixels = picture(kind, height, width)
    for quality in QUALITIES:
        assert np.array_equal(ours(pixels, quality), through_pillow(pixels, quality)), quality


@pytest.mark.parametrize(("height", "width"), [(16, 16), (33, 47), (57, 90)])
def test_one_channel_equals_a_grey_file_bit_for_bit(height, width):
    pixels = np.ascontiguousarray(picture("smooth", height, width)[..., 0])
    for quality in QUALITIES:
        assert np.array_equal(ours(pixels, quality), through_pillow(pixels, quality)), quality


def test_equals_pillow_at_every_quality():
    pixels = picture("noise", 39, 41)
    for quality in range(1, 101):
        assert np.array_equal(ours(pixels, quality), through_pillow(pixels, quality)), quality


def test_a_quality_between_two_levels_is_rounded():
    images = torch.from_numpy(picture("noise", 32, 32)).permute(2, 0, 1)[None].float() / 255
    level = JpegCompression().level("imagenet", 2.5)
    assert level == (16.5,)
    assert torch.equal(JpegCompression().change(images, Draws(), level), jpeg_compression(images, 16))
    assert torch.equal(JpegCompression().change(images, Draws(), (16.7,)), jpeg_compression(images, 17))
