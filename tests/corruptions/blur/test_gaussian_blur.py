import pytest
import torch

from robustlit.corruptions.base import Draws
from robustlit.corruptions.blur.gaussian_blur import GaussianBlur
from tests.corruptions import golden


@pytest.mark.parametrize("preset", ["imagenet", "cifar"])
@pytest.mark.parametrize("severity", range(1, 6))
def test_equals_the_published_output(preset, severity):
    arrays = golden.arrays(preset)
    ours = GaussianBlur().apply(golden.unit(arrays["input"]), Draws(), GaussianBlur().level(preset, severity))
    largest, mean = golden.difference(ours, arrays[f"gaussian_blur_{severity}"])
    assert largest <= 1
    assert abs(mean) <= 0.02


def test_a_severity_between_two_levels_blurs_between_them():
    spike = torch.zeros(1, 3, 33, 33)
    spike[..., 16, 16] = 1
    peaks = [
        float(GaussianBlur().change(spike, Draws(), GaussianBlur().level("imagenet", s)).max()) for s in (2, 2.5, 3)
    ]
    assert peaks[0] > peaks[1] > peaks[2]
    assert peaks[1] == pytest.approx(1 / (2 * torch.pi * 2.5**2), rel=1e-3)
