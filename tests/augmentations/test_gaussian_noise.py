"""Gaussian noise against its definition, over the whole image and in regions."""

import math

import pytest
import torch

from robustlit.augmentations import ClassMasks, GaussianNoise, PatchGaussian, SquarePatch, Voronoi
from robustlit.augmentations.noise_field import normal_field
from robustlit.core.random import sample_seeds

SEEDS = sample_seeds(2, torch.arange(6))


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 17, 40)])
def test_adds_noise_of_the_sigma_and_clips(shape) -> None:
    op, images = GaussianNoise(0.3, p=0.5), torch.rand(6, *shape)
    params = op.sample(images.shape, SEEDS)
    result = op.apply(images, params)
    noisy = (images + 0.3 * normal_field(params.noise, shape)).clamp(0, 1)
    assert 0 < params.chosen.sum() < 6
    for i in range(6):
        assert torch.equal(result[i], noisy[i] if params.chosen[i] else images[i])


def test_sigma_is_uniform_where_it_is_sampled() -> None:
    params = GaussianNoise(0.8, sample_up_to=True).sample(
        torch.Size((8000, 3, 4, 4)), sample_seeds(0, torch.arange(8000))
    )
    assert abs(params.sigma.mean() - 0.4) < 5 * 0.8 / math.sqrt(12 * 8000) and params.sigma.max() < 0.8
    assert abs(params.chosen.float().mean() - 0.5) < 5 * 0.5 / math.sqrt(8000)
    assert (GaussianNoise(0.8).sample(torch.Size((3, 3, 4, 4)), SEEDS[:3]).sigma == 0.8).all()


def test_is_patch_gaussians_limit() -> None:
    """The same noise and sigma in a patch that covers everything."""
    noise, patch = GaussianNoise(1.0, p=1, sample_up_to=True), PatchGaussian(500, 1.0)
    images = torch.rand(6, 3, 9, 9)
    params = noise.sample(images.shape, SEEDS)
    given = patch.sample(images.shape, SEEDS)
    same = type(given)(given.chosen, given.top, given.left, given.side, params.sigma[:, 0], params.noise)
    assert torch.allclose(patch.apply(images, same), noise.apply(images, params), atol=1e-7)


def test_a_sigma_a_cell() -> None:
    op, images = GaussianNoise(1.0, p=1.0, sample_up_to=True, region=Voronoi(4)), torch.full((6, 3, 24, 30), 0.5)
    params = op.sample(images.shape, SEEDS)
    cells = op.region.cells(params.region, (24, 30))
    noise, result = normal_field(params.noise, (3, 24, 30)), op.apply(images, params)
    for i in range(6):
        for cell in range(4):
            inside = (cells[i] == cell).expand(3, -1, -1)
            expected = (0.5 + params.sigma[i, cell] * noise[i][inside]).clamp(0, 1)
            assert torch.allclose(result[i][inside], expected, atol=1e-7)


def test_outside_the_region_nothing_changes() -> None:
    images, masks = torch.rand(6, 3, 24, 30), torch.randint(0, 3, (6, 24, 30))
    for region, read in ((SquarePatch(9), None), (ClassMasks(3), masks)):
        op = GaussianNoise(0.5, p=1.0, region=region)
        params = op.sample(images.shape, SEEDS)
        outside = (region.cells(params.region, (24, 30), masks) < 0)[:, None].expand(-1, 3, -1, -1)
        result = op.apply(images, params, read)
        assert outside.any() and torch.equal(result[outside], images[outside])
        assert (result[~outside] != images[~outside]).float().mean() > 0.5


def test_same_for_any_batch() -> None:
    images = torch.rand(6, 3, 16, 20)
    for op in (GaussianNoise(0.5, p=0.5), GaussianNoise(0.5, region=Voronoi(3), sample_up_to=True)):
        whole = op(images, SEEDS)
        assert torch.equal(torch.cat([op(images[i : i + 1], SEEDS[i : i + 1]) for i in range(6)]), whole)


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match="expected sigma of at least 0, got -1"):
        GaussianNoise(-1)
    with pytest.raises(ValueError, match=r"expected class masks of shape \(2, 8, 8\) for GaussianNoise, got none"):
        GaussianNoise(region=ClassMasks(3))(torch.rand(2, 3, 8, 8))
    with pytest.raises(ValueError, match=r"got shape \(2, 8, 9\)"):
        GaussianNoise(region=ClassMasks(3))(torch.rand(2, 3, 8, 8), 0, torch.zeros(2, 8, 9, dtype=torch.int64))
