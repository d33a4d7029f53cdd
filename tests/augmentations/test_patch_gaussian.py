"""PatchGaussian against a plain loop of Lopes et al.'s algorithm, and against what its draws must look like."""

import math

import numpy as np
import pytest
import torch

from robustlit.augmentations import PatchGaussian
from robustlit.augmentations.patch_gaussian import PatchGaussianParams
from robustlit.core.random import sample_seeds


def by_loops(image: np.ndarray, noise: np.ndarray, sigma: float, row: int, column: int, side: int) -> np.ndarray:
    """The paper's steps for one C×H×W image, pixel by pixel; every pixel of the patch has noise of its own."""
    result = image.copy()
    rows = range(max(row - math.floor(side / 2), 0), min(row + math.ceil(side / 2), image.shape[1]))
    columns = range(max(column - math.floor(side / 2), 0), min(column + math.ceil(side / 2), image.shape[2]))
    for i, y in enumerate(rows):
        for j, x in enumerate(columns):
            result[:, y, x] = np.clip(image[:, y, x] + sigma * noise[:, i, j], 0, 1)
    return result


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 17, 40), (4, 9, 5)])
@pytest.mark.parametrize("side", [1, 4, 7, 25, 60])
def test_equals_the_paper_step_by_step(shape, side) -> None:
    op = PatchGaussian(patch_size=side, max_sigma=1.0)
    images = torch.rand(6, *shape)
    params = op.sample(images.shape, sample_seeds(3, torch.arange(6)))
    result = op.apply(images, params)
    for i in range(6):
        row, column = int(params.top[i]) + side // 2, int(params.left[i]) + side // 2
        assert 0 <= row < shape[1] and 0 <= column < shape[2]
        expected = by_loops(
            images[i].numpy(), params.noise[i].numpy(), float(params.sigma[i]), row, column, int(params.side[i])
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


def test_mean_share_of_the_image_is_the_measured_one() -> None:
    """A 25-pixel patch on 32 pixels covers 39.6 % on average: exactly, from the 32 centres a side can have."""
    covered = [min(c + 13, 32) - max(c - 12, 0) for c in range(32)]
    expected = (sum(covered) / 32**2) ** 2
    assert expected == pytest.approx(0.396, abs=0.001)
    grey = torch.full((4000, 1, 32, 32), 0.5)
    share = (PatchGaussian.cifar()(grey, seed=1) != grey).float().mean()
    assert share == pytest.approx(expected, abs=0.01)


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
        ({"patch_size": 0}, "expected patch_size of at least 1 pixel, got 0"),
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
