import colorsys

import pytest
import torch

from robustlit.corruptions.base import Draws
from robustlit.corruptions.weather.brightness import Brightness, brightness
from tests.corruptions import golden


@pytest.mark.parametrize("preset", ["imagenet", "cifar"])
@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(preset, severity):
    arrays = golden.arrays(preset)
    ours = Brightness().apply(golden.unit(arrays["input"]), Draws(), Brightness().level(preset, severity))
    largest, mean = golden.difference(ours, arrays[f"brightness_{severity}"])
    assert largest <= 1  # where the published round trip through hue lands just below a whole level
    assert abs(mean) <= 0.05


@pytest.mark.parametrize("amount", [0.05, 0.5])
def test_equals_the_detour_over_hue_and_saturation(amount):
    pixels = torch.rand(500, 3, generator=torch.Generator().manual_seed(0))
    pixels[::5] = pixels[::5].round()  # corners of the colour cube, black and white among them
    pixels[::7] = pixels[::7, :1]  # greys
    found = brightness(pixels.T[None, :, :, None], amount)[0, :, :, 0].T
    for pixel, ours in zip(pixels.tolist(), found.tolist(), strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
        assert ours == pytest.approx(colorsys.hsv_to_rgb(hue, saturation, min(1, value + amount)), abs=1e-6)


def test_one_channel_is_grey():
    grey = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(brightness(grey, 0.3), brightness(grey.expand(-1, 3, -1, -1), 0.3)[:, :1])
    assert torch.allclose(brightness(grey, 0.3), (grey + 0.3).clamp(max=1))
