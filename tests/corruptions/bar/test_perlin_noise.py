import math

import torch

from robustlit.corruptions.bar.perlin_noise import turbulence
from robustlit.corruptions.registry import named


def test_turbulence_is_that_of_the_lattice_evaluated_at_each_pixel() -> None:
    height, width = 21, 33
    found = named("perlin_noise")
    draws = found.sample(torch.Size((1, 3, height, width)), torch.tensor([5]), found.level("imagenet", 1))
    noise = turbulence(height, width, draws.gradients, draws.permutation)
    gradients, order = draws.gradients[0].double(), draws.permutation[0].tolist()

    def ramp(row: int, column: int, y: float, x: float) -> float:
        down, right = gradients[order[(order[row % 256] + column) % 256]].tolist()
        return (y - row) * down + (x - column) * right

    def value(y: float, x: float) -> float:
        row, column = math.floor(y), math.floor(x)
        fade_y, fade_x = ((t - math.floor(t)) ** 2 * (3 - 2 * (t - math.floor(t))) for t in (y, x))
        total = 0.0
        for down, share_y in ((0, 1 - fade_y), (1, fade_y)):
            for right, share_x in ((0, 1 - fade_x), (1, fade_x)):
                total += share_y * share_x * ramp(row + down, column + right, y, x)
        return 1.5 * total

    for row in range(0, height, 2):
        for column in range(0, width, 3):
            y, x = 7 * row / height, 7 * column / height
            expected = sum(abs(value(f * y, f * x)) / f for f in (1, 2, 4, 8, 16))
            assert math.isclose(noise[0, row, column], expected, abs_tol=1e-4)


def test_tables() -> None:
    found = named("perlin_noise")
    draws = found.sample(torch.Size((3, 3, 32, 32)), torch.arange(3), found.level("imagenet", 1))
    assert torch.equal(draws.permutation.sort(dim=1).values, torch.arange(256).expand(3, -1))
    torch.testing.assert_close(draws.gradients.norm(dim=-1), torch.ones(3, 256))
