import numpy as np
import pytest
import torch

from robustlit.corruptions.ops.plasma import plasma, plasma_draws, plasma_size


def point_by_point(uniforms, size, decay):
    """Diamond-square one point at a time, in float64, with the published order of draws."""
    draws, field = iter(uniforms), np.zeros((size, size))
    step, amount = size, 100.0
    while step >= 2:
        half, corners = step // 2, range(0, size, step)

        def put(row, column, neighbours, amount=amount):
            mean = sum(field[r % size, c % size] for r, c in neighbours) / 4
            field[row % size, column % size] = mean + amount**2 * (2 * next(draws) - 1)

        for r in corners:
            for c in corners:
                put(r + half, c + half, [(r, c), (r + step, c), (r, c + step), (r + step, c + step)])
        for r in corners:
            for c in corners:
                put(r, c + half, [(r, c), (r, c + step), (r - half, c + half), (r + half, c + half)])
        for r in corners:
            for c in corners:
                put(r + half, c, [(r, c), (r + step, c), (r + half, c - half), (r + half, c + half)])
        step, amount = half, amount / decay
    field -= field.min()
    return field / field.max()


@pytest.mark.parametrize(("size", "decay"), [(2, 2.0), (16, 1.4), (32, 3.0)])
def test_equals_diamond_square_point_by_point(size, decay):
    uniforms = np.random.RandomState(size).random_sample((2, plasma_draws(size)))
    expected = np.stack([point_by_point(row, size, decay) for row in uniforms])
    found = plasma(torch.from_numpy(uniforms).float(), decay)
    assert torch.allclose(found.double(), torch.from_numpy(expected), atol=2e-6)


def test_sizes_are_powers_of_two_that_cover():
    assert [plasma_size(side, 16) for side in (16, 17, 32, 33, 224, 256, 257)] == [16, 32, 32, 64, 256, 256, 512]
