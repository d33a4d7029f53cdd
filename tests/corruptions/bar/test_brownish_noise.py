import pytest
import torch

from robustlit.corruptions import corrupt


@pytest.mark.parametrize(("severity", "levels"), [(1, 16.0), (5, 44.8)])
def test_standard_deviation_of_every_channel(severity: int, levels: float) -> None:
    images = torch.full((6, 3, 32, 48), 0.5)
    noise = corrupt(images, "brownish_noise", severity, preset="cifar", quantize=False) - images
    unclipped = noise.abs().amax((2, 3)) < 0.499
    assert unclipped.any()
    deviation = noise.std((2, 3), correction=0)[unclipped] * 255
    torch.testing.assert_close(deviation, torch.full_like(deviation, levels), rtol=1e-4, atol=0)


def test_channels_are_independent() -> None:
    images = torch.full((64, 3, 32, 32), 0.5)
    noise = (corrupt(images, "brownish_noise", 1, quantize=False) - images).flatten(2)
    together = torch.stack([torch.corrcoef(one)[0, 1] for one in noise])
    assert together.mean().abs() < 4 * together.std() / 8
