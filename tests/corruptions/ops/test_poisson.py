import random

import numpy as np
import pytest
import torch
from scipy import stats

from robustlit.corruptions.ops.poisson import alias_table, poisson_counts

UNIFORMS = 1 << 24


@pytest.mark.parametrize("seed", range(20))
def test_an_alias_table_gives_every_column_its_weight(seed):
    generator = random.Random(seed)
    size, capacity = generator.randint(1, 40), generator.randint(1, 50)
    cuts = sorted(generator.randint(0, size * capacity) for _ in range(size - 1))
    weights = [stop - start for start, stop in zip([0, *cuts], [*cuts, size * capacity], strict=True)]
    shares = [0] * size
    for column, (own, other) in enumerate(alias_table(weights, capacity)):
        assert 0 <= own < capacity
        shares[column] += own
        shares[other] += capacity - own
    assert shares == weights


@pytest.mark.parametrize(("grey", "photons"), [(255, 3.0), (120, 60.0), (13, 500.0)])
def test_all_uniform_numbers_together_have_the_poisson_distribution(grey, photons):
    found = np.zeros(1024)
    for start in range(0, UNIFORMS, 1 << 20):
        uniforms = torch.arange(start, start + (1 << 20)).float() / UNIFORMS
        counts = poisson_counts(torch.full_like(uniforms, grey / 255), uniforms, photons)
        found += torch.bincount(counts.long(), minlength=1024).numpy()
    wanted = stats.poisson.pmf(np.arange(1024), photons * grey / 255) * UNIFORMS
    assert np.abs(found - wanted).max() < 1


@pytest.mark.parametrize("photons", [1.0, 3.0, 17.5, 60.0, 500.0])
def test_counts_beyond_the_table_are_rarer_than_the_smallest_step(photons):
    # the largest uniform number belongs to the largest column; a table cut too short would pile mass up there
    grid = (torch.arange(1 << 12).float() * (1 << 12)).add(1).div(UNIFORMS)
    counts = poisson_counts(torch.ones_like(grid), grid, photons).numpy()
    assert counts.max() <= stats.poisson.isf(2.0**-25, photons)
    assert counts.mean() == pytest.approx(photons, rel=0.05)


def test_values_of_any_shape_are_taken_by_their_nearest_grey_level():
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, 3, 5, 7, generator=generator)
    uniforms = (torch.rand(2, 3, 5, 7, generator=generator) * UNIFORMS).floor() / UNIFORMS
    whole = (images * 255).round() / 255
    counts = poisson_counts(images, uniforms, 25.0)
    assert counts.shape == images.shape
    assert torch.equal(counts, poisson_counts(whole, uniforms, 25.0))
