import colorsys

import pytest
import torch

from robustlit.corruptions.base import Draws
from robustlit.corruptions.digital.saturate import Saturate, saturate

LEVELS = sorted({level for table in Saturate.levels.values() for level in table})


@pytest.mark.parametrize("level", LEVELS)
def test_equals_the_detour_over_hue(level):
    factor, offset = level
    pixels = torch.rand(500, 3, generator=torch.Generator().manual_seed(0))
    pixels[::5] = pixels[::5].round()  # corners of the colour cube, black and white among them
    pixels[::7] = pixels[::7, :1]  # greys, which become reddish
    found = saturate(pixels.T[None, :, :, None], factor, offset)[0, :, :, 0].T
    for pixel, ours in zip(pixels.tolist(), found.tolist(), strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
        wanted = colorsys.hsv_to_rgb(hue, min(1, saturation * factor + offset), value)
        assert ours == pytest.approx(wanted, abs=2e-6)


def test_one_channel_is_the_luma_of_what_grey_becomes():
    grey = torch.full((1, 1, 16, 16), 0.5)
    corruption = Saturate()
    kept = corruption.apply(grey, Draws(), corruption.level("imagenet", 3))
    assert torch.allclose(kept, grey)
    reddish = corruption.apply(grey, Draws(), corruption.level("imagenet", 5))
    assert torch.allclose(reddish, torch.full_like(grey, 0.299 * 0.5 + 0.701 * 0.5 * 0.8))
