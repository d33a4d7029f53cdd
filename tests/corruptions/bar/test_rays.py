import math

import torch

from robustlit.corruptions.bar.rays import ray_counts, sparkle


def test_counts_are_50_to_199() -> None:
    counts = ray_counts(torch.linspace(0, 1 - 2**-24, 10_001))
    assert counts.unique().tolist() == list(range(50, 200))


def test_light_is_that_of_the_two_rays_beside_a_pixel() -> None:
    centre, count = (4.3, 6.8), 50
    lengths = torch.linspace(1, 5, 199)[torch.randperm(199)]
    rows, columns = torch.arange(12.0)[None, :, None], torch.arange(9.0)[None, None, :]
    between, light = sparkle(rows, columns, torch.tensor([centre]), torch.tensor([count]), lengths[None])
    for row in range(12):
        for column in range(9):
            down, right = row - centre[0], column - centre[1]
            place = (math.atan2(right, down) + math.pi) / (2 * math.pi) * count
            ray, share = int(place), place % 1
            first, second = float(lengths[ray % count]), float(lengths[(ray + 1) % count])
            length = (1 - share) * first + share * second
            assert math.isclose(between[0, row, column], 1 - (share - 0.5) ** 2, abs_tol=1e-4)
            assert math.isclose(light[0, row, column], length**2 / (down**2 + right**2 + 1e-4), rel_tol=1e-3)
