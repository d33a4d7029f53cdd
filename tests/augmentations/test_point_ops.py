"""Point operations against Pillow, on whole grey levels."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from robustlit.augmentations.point_ops import autocontrast, equalize, posterize, solarize
from tests.augmentations.style_cases import pictures


def as_bytes(images: torch.Tensor) -> list[Image.Image]:
    return [Image.fromarray((image * 255).round().byte().permute(1, 2, 0).numpy()) for image in images]


def on_levels(images: torch.Tensor) -> torch.Tensor:
    return (images * 255).round() / 255


@pytest.fixture
def cases() -> torch.Tensor:
    images = on_levels(torch.cat((pictures(4), torch.rand(2, 3, 24, 33), torch.full((1, 3, 24, 33), 0.4))))
    images[5, 0] = 0.2  # one flat channel
    images[4, 1] = (images[4, 1] > 0.5).float()  # two grey levels
    return images


def compare(result: torch.Tensor, expected: list[Image.Image], levels: float) -> None:
    for found, image in zip(result, expected, strict=True):
        difference = found.permute(1, 2, 0).numpy() * 255 - np.asarray(image).astype(np.float64)
        assert np.abs(difference).max() <= levels + 1e-3


def test_autocontrast(cases) -> None:
    compare(autocontrast(cases), [ImageOps.autocontrast(image) for image in as_bytes(cases)], 1)


def test_equalize(cases) -> None:
    compare(equalize(cases), [ImageOps.equalize(image) for image in as_bytes(cases)], 0)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 8])
def test_posterize(cases, bits) -> None:
    given = torch.full((7,), float(bits))
    compare(posterize(cases, given), [ImageOps.posterize(image, bits) for image in as_bytes(cases)], 0)


@pytest.mark.parametrize("threshold", [0, 100, 180, 256])
def test_solarize(cases, threshold) -> None:
    given = torch.full((7,), float(threshold))
    compare(solarize(cases, given), [ImageOps.solarize(image, threshold) for image in as_bytes(cases)], 0)


def test_settings_are_per_sample(cases) -> None:
    images = cases[:3]
    bits, threshold = torch.tensor([1.0, 4, 8]), torch.tensor([50.0, 128, 256])
    for i in range(3):
        assert torch.equal(posterize(images, bits)[i], posterize(images[i : i + 1], bits[i : i + 1])[0])
        assert torch.equal(solarize(images, threshold)[i], solarize(images[i : i + 1], threshold[i : i + 1])[0])
