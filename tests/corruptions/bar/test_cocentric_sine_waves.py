import math

import torch

from robustlit.corruptions.bar.cocentric_sine_waves import cocentric_sine_waves
from robustlit.corruptions.registry import named


def test_rings_at_every_pixel() -> None:
    centre, frequency, wobble, width = (7.25, 11.5), 6.5, 1.75, 2.5
    rings = cocentric_sine_waves(
        torch.zeros(1, 2, 18, 23),
        torch.tensor([centre]),
        torch.tensor([frequency]),
        torch.tensor([wobble]),
        torch.tensor([width]),
        0.5,
    )
    for row in range(18):
        for column in range(23):
            down, right = row - centre[0], column - centre[1]
            distance = math.hypot(down, right) + wobble * math.sin(frequency * math.atan2(right, down))
            assert math.isclose(rings[0, 0, row, column], 0.5 * (distance % width / width - 0.5), abs_tol=1e-6)
    assert torch.equal(rings[:, 0], rings[:, 1])


def test_draws_scale_with_the_shorter_side() -> None:
    found = named("cocentric_sine_waves")
    draws = found.sample(torch.Size((500, 3, 40, 200)), torch.arange(500), found.level("imagenet", 1))
    assert 190 < draws.centre[:, 1].amax() < 200
    assert 38 < draws.centre[:, 0].amax() < 40
    assert draws.width.amin() > 0
    assert draws.width.amax() <= 4
    assert draws.wobble.amax() < 4
