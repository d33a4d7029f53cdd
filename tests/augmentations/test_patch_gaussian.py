"""PatchGaussian against a plain loop of Lopes et al.'s algorithm, and against what its draws must look like."""

import math
import random

import numpy as np
import pytest
import torch

from robustlit.augmentations import PatchGaussian
from robustlit.augmentations.noise_field import normal_field
from robustlit.augmentations.patch_gaussian import PatchGaussianParams
from robustlit.augmentations.regions import inside_patch
from robustlit.core.random import sample_seeds


def by_loops(image: np.ndarray, noise: np.ndarray, sigma: float, row: int, column: int, side: int) -> np.ndarray:
    """The paper's steps for one C×H×W image, pixel by pixel."""
    result = image.copy()
    rows = range(max(row - math.floor(side / 2), 0), min(row + math.ceil(side / 2), image.shape[1]))
    columns = range(max(column - math.floor(side / 2), 0), min(column + math.ceil(side / 2), image.shape[2]))
    for y in rows:
        for x in columns:
            result[:, y, x] = np.clip(image[:, y, x] + sigma * noise[:, y, x], 0, 1)
    return result


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 17, 40), (4, 9, 5)])
@pytest.mark.parametrize("side", [1, 4, 7, 25, 60])
def test_equals_the_paper_step_by_step(shape, side) -> None:
    op = PatchGaussian(patch_size=side, max_sigma=1.0)
    images = torch.rand(6, *shape)
    params = op.sample(images.shape, sample_seeds(3, torch.arange(6)))
    result = op.apply(images, params)
    noise = normal_field(params.noise, shape)
    for i in range(6):
        row, column = int(params.top[i]) + side // 2, int(params.left[i]) + side // 2
        assert 0 <= row < shape[1] and 0 <= column < shape[2]
        expected = by_loops(
            images[i].numpy(), noise[i].numpy(), float(params.sigma[i]), row, column, int(params.side[i])
        )
        np.testing.assert_allclose(result[i].numpy(), expected, atol=1e-6)


def test_draws_have_the_papers_distributions() -> None:
    op = PatchGaussian(patch_size=250, max_sigma=0.8, sample_up_to=True)
    n = 20_000
    params = op.sample(torch.Size((n, 1, 4, 6)), sample_seeds(0, torch.arange(n)))
    for values, count in ((params.top + params.side // 2, 4), (params.left + params.side // 2, 6)):
        histogram = torch.bincount(values, minlength=count)
        assert len(histogram) == count
        assert (histogram - n / count).abs().max() < 5 * math.sqrt(n / count)
    assert params.side.min() == 1 and params.side.max() == 250
    assert abs(params.side.double().mean() - 125.5) < 5 * 250 / math.sqrt(12 * n)
    assert abs(params.sigma.mean() - 0.4) < 5 * 0.8 / math.sqrt(12 * n) and params.sigma.max() < 0.8


@pytest.mark.parametrize(
    ("size", "op", "expected", "tolerance"),
    [(32, PatchGaussian.cifar(), 0.396, 0.005), (224, PatchGaussian.imagenet(), 0.262, 0.01)],
)
def test_mean_share_of_the_image(size, op, expected, tolerance) -> None:
    """What patches cover on average, exactly: centre by centre and side by side; and what 20,000 draws cover."""
    sides = range(1, op.patch_size + 1) if op.sample_up_to else [op.patch_size]
    lengths = [
        [min(c + side - side // 2, size) - max(c - side // 2, 0) for c in range(size)] for side in sides
    ]  # of a patch, along one axis
    exact = np.mean([(np.mean(row) / size) ** 2 for row in lengths])
    assert exact == pytest.approx(expected, abs=tolerance)
    params = op.sample(torch.Size((20_000, 3, size, size)), sample_seeds(1, torch.arange(20_000)))
    rows, columns = ((start + params.side).clamp(max=size) - start.clamp(min=0) for start in (params.top, params.left))
    assert float((rows * columns).double().mean()) / size**2 == pytest.approx(exact, abs=tolerance)


def test_the_whole_batch_at_once_is_the_same_as_patch_by_patch() -> None:
    """On CUDA the whole noise is drawn and the patch cut out of it; on CPU the patch alone is."""
    op, images = PatchGaussian(19, sample_up_to=True, p=0.7), torch.rand(16, 3, 21, 17)
    params = op.sample(images.shape, sample_seeds(0, torch.arange(16)))
    noisy = (images + params.sigma[:, None, None, None] * normal_field(params.noise, (3, 21, 17))).clamp(0, 1)
    patch = inside_patch(params.top, params.left, params.side, (21, 17)) & params.chosen[:, None, None]
    assert torch.allclose(op.apply(images, params), torch.where(patch[:, None], noisy, images), atol=1e-6)


def test_no_global_generator_is_touched() -> None:
    torch.manual_seed(3), np.random.seed(3), random.seed(3)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    for p in (0.0, 1.0):
        PatchGaussian(9, p=p)(torch.full((4, 3, 8, 8), 0.5))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all() and random.getstate() == before[2]


def test_probability_is_per_sample() -> None:
    grey = torch.full((4000, 1, 4, 4), 0.5)
    changed = (PatchGaussian(9, 1.0, p=0.3)(grey) != grey).flatten(1).any(1).float().mean()
    assert changed == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / 4000))
    assert torch.equal(PatchGaussian(9, 1.0, p=0.0)(grey), grey)


def test_limits_are_whole_image_noise_and_nothing() -> None:
    images = torch.rand(4, 3, 16, 16)
    assert torch.equal(PatchGaussian(8, max_sigma=0.0)(images), images)
    everywhere = PatchGaussian(64, max_sigma=1.0)(torch.full((4, 3, 16, 16), 0.5))
    assert ((everywhere != 0.5).float().mean((1, 2, 3)) > 0.9).all()


def test_same_for_any_batch_and_nothing_changed_in_place() -> None:
    images = torch.rand(8, 3, 16, 16)
    before, seeds = images.clone(), sample_seeds(0, torch.arange(8))
    op = PatchGaussian(9)
    whole = op(images, seeds)
    assert torch.equal(torch.cat([op(images[i : i + 1], seeds[i : i + 1]) for i in range(8)]), whole)
    assert torch.equal(op(images, seed=0), whole)  # an int is spread by position
    assert torch.equal(images, before) and not torch.equal(whole, before)


def test_precision_of_the_trainer_does_not_matter() -> None:
    images = torch.rand(2, 3, 16, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(PatchGaussian(9)(images), PatchGaussian(9)(images.clone()))
    halved = PatchGaussian(9)(images.to(torch.bfloat16))
    assert halved.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch_size": 0}, "expected a patch of at least 1 pixel, got 0"),
        ({"max_sigma": -0.1}, "expected max_sigma of at least 0, got -0.1"),
        ({"p": 1.5}, r"expected p in \[0, 1\], got 1.5"),
    ],
)
def test_wrong_settings(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        PatchGaussian(**options)


def test_a_parent_module_may_still_apply_a_function_to_its_children() -> None:
    seen = []
    parent = torch.nn.Sequential(PatchGaussian(), torch.nn.Linear(1, 1))
    parent.apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["PatchGaussian", "Linear", "Sequential"]


def test_wrong_seeds() -> None:
    with pytest.raises(ValueError, match="expected one seed for each of 4 samples"):
        PatchGaussian()(torch.rand(4, 3, 8, 8), torch.zeros(3, dtype=torch.int64))


def test_params_say_what_they_are() -> None:
    assert isinstance(
        PatchGaussian().sample(torch.Size((2, 3, 8, 8)), sample_seeds(0, torch.arange(2))), PatchGaussianParams
    )
