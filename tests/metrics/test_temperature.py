"""Temperature scaling: a closed form, a fine grid, limits and errors."""

import math

import pytest
import torch
from torch.nn import functional as F

from robustlit.metrics.proper_scores import judge, mean_with_error
from robustlit.metrics.reliability import expected_calibration_error
from robustlit.metrics.temperature import COLDEST, HOTTEST, fit_temperature


def overconfident(factor: float = 2.5, n: int = 3000):
    generator = torch.Generator().manual_seed(0)
    true = 2 * torch.randn(n, 6, generator=generator)
    return true * factor, torch.multinomial(true.softmax(1), 1, generator=generator)[:, 0]


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_it_finds_the_factor_and_the_least_loss(factor):
    logits, targets = overconfident(factor)
    found = fit_temperature(logits, targets)
    assert found == pytest.approx(factor, rel=0.06)
    grid = torch.linspace(0.9, 1.1, 201, dtype=torch.float64) * found
    losses = torch.stack([F.cross_entropy(logits.double() / each, targets) for each in grid])
    assert float(F.cross_entropy(logits.double() / found, targets)) <= float(losses.min()) + 1e-12
    assert fit_temperature(logits, targets) == found


def test_it_calibrates_and_changes_no_answer():
    logits, targets = overconfident()
    before, after = judge(logits, targets), judge(logits, targets, fit_temperature(logits, targets))
    assert torch.equal(before.hits, after.hits)
    assert expected_calibration_error(before.confidence, before.hits) > 0.1
    assert expected_calibration_error(after.confidence, after.hits) < 0.02
    assert after.nll.mean() < before.nll.mean()


def test_always_right_and_never_better_than_chance_are_the_limits():
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert fit_temperature(logits, torch.tensor([0, 1])) == pytest.approx(COLDEST, rel=1e-3)
    assert fit_temperature(logits, torch.tensor([1, 0])) == pytest.approx(HOTTEST, rel=1e-3)


@pytest.mark.parametrize(
    ("logits", "message"), [(torch.zeros(0, 2), "got none"), (torch.full((1, 2), math.nan), "NaN")]
)
def test_what_cannot_be_fitted_is_refused(logits, message):
    with pytest.raises(ValueError, match=message) as error:
        fit_temperature(logits, torch.zeros(len(logits), dtype=torch.int64))
    assert "\n" not in str(error.value)


def test_scores_are_those_of_their_formulas():
    logits, targets = overconfident(n=50)
    found = judge(logits, targets, 2.0)
    probabilities = (logits / 2).softmax(1)
    truth = F.one_hot(targets, 6)
    assert torch.allclose(found.nll, F.cross_entropy(logits / 2, targets, reduction="none"))
    assert torch.allclose(found.brier, ((probabilities - truth) ** 2).sum(1))
    two = judge(logits[:, :2], targets.clamp(max=1))
    assert torch.allclose(two.brier, (logits[:, :2].softmax(1)[:, 1] - targets.clamp(max=1)) ** 2, atol=1e-6)


def test_images_are_the_sample_and_not_their_pixels():
    values = torch.tensor([1.0, 2.0, 4.0])
    mean, error = mean_with_error(values, torch.arange(3))
    assert (mean, error) == pytest.approx((7 / 3, float(values.std()) / math.sqrt(3)))
    assert mean_with_error(values.repeat_interleave(9), torch.arange(3).repeat_interleave(9)) == pytest.approx(
        (mean, error)
    )
    assert math.isnan(mean_with_error(values, torch.zeros(3, dtype=torch.int64))[1])
