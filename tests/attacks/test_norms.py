"""The balls against float64 NumPy, brute force and closed forms."""

import math

import numpy as np
import pytest
import torch

from robustlit.attacks.norms import NORMS, L1Ball, L2Ball, LinfBall, project_l1
from robustlit.core.random import sample_seeds
from tests.attacks.networks import LENGTHS

IMAGES = (torch.rand(16, 3, 20, 24, generator=torch.Generator().manual_seed(5)) * 1.2 - 0.1).clamp(0, 1)
EPS = {"linf": 8 / 255, "l2": 0.5, "l1": 12.0}


def length(norm, changed):
    return LENGTHS[norm]((changed.double() - IMAGES.double()).flatten(1))


@pytest.mark.parametrize("norm", NORMS)
def test_clipping_ends_in_the_ball_and_the_range_exactly(norm) -> None:
    for scale in (0.01, 0.1, 10):
        for eps in (EPS[norm], EPS[norm] / 3, 1e-3, 0.0):
            ball = NORMS[norm](IMAGES, eps)
            changed = ball.clip(IMAGES + scale * torch.randn_like(IMAGES))
            assert changed.min() >= 0 and changed.max() <= 1
            assert (length(norm, changed) <= eps).all()


@pytest.mark.parametrize("norm", NORMS)
def test_what_is_inside_stays(norm) -> None:
    ball = NORMS[norm](IMAGES, EPS[norm])
    inside = (IMAGES + 1e-4 * torch.randn_like(IMAGES)).clamp(0, 1)
    torch.testing.assert_close(ball.clip(inside), inside, atol=1e-7, rtol=0)


def test_linf_clipping_is_the_nearest_point() -> None:
    wild = IMAGES + torch.randn_like(IMAGES)
    expected = (IMAGES + (wild - IMAGES).clamp(-0.03, 0.03)).clamp(0, 1)
    torch.testing.assert_close(LinfBall(IMAGES, 0.03).clip(wild), expected, atol=2e-7, rtol=0)


def test_l2_clipping_keeps_the_direction() -> None:
    images = torch.full((2, 1, 4, 4), 0.5)
    change = torch.randn(2, 1, 4, 4)
    moved = L2Ball(images, 0.25).clip(images + change) - images
    expected = change * 0.25 / change.flatten(1).norm(dim=1)[:, None, None, None]
    torch.testing.assert_close(moved, expected, atol=1e-6, rtol=0)


def by_bisection(change, room, eps):
    """The threshold found by halving an interval 200 times, in float64."""
    size = np.abs(change)

    def shrunk(threshold):
        return np.minimum(np.maximum(size - threshold, 0), room)

    if shrunk(0).sum() <= eps:
        return np.sign(change) * shrunk(0)
    low, high = 0.0, size.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if shrunk(middle).sum() > eps else (low, middle)
    return np.sign(change) * shrunk(high)


@pytest.mark.parametrize("eps", [0.0, 0.01, 1.0, 7.0, 30.0, 1e6])
def test_l1_projection_equals_bisection(eps) -> None:
    generator = np.random.RandomState(0)
    change = generator.randn(20, 60)
    change[:, :5] = 0
    change[3] = 0.5  # ties
    room = generator.rand(20, 60) * generator.choice([0, 1, 5], (20, 60))
    expected = np.stack([by_bisection(c, r, eps) for c, r in zip(change, room, strict=True)])
    found = project_l1(torch.from_numpy(change), torch.from_numpy(room), eps).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_directions() -> None:
    gradient = torch.randn(3, 3, 20, 24)
    images = torch.full_like(gradient, 0.5)
    assert torch.equal(LinfBall(images, 0.1).direction(gradient, images), gradient.sign())
    unit = L2Ball(images, 0.1).direction(gradient, images)
    torch.testing.assert_close(unit.flatten(1).norm(dim=1), torch.ones(3))
    sparse = L1Ball(images, 0.1).direction(gradient, images).flatten(1)
    torch.testing.assert_close(sparse.abs().sum(1), torch.ones(3))
    assert ((sparse != 0).sum(1) == 14).all()  # 1 % of 1440
    for row, slope in zip(sparse, gradient.flatten(1), strict=True):
        chosen = row != 0
        assert slope[chosen].abs().min() >= slope[~chosen].abs().max()
        assert torch.equal(row[chosen].sign(), slope[chosen].sign())
    for kind in NORMS.values():
        assert kind(images, 0.1).direction(gradient * 0, images).abs().max() == 0


def test_l1_steps_leave_out_what_cannot_move() -> None:
    images = torch.zeros(1, 1, 2, 2)
    images[..., 0, 0] = 0.5
    step = L1Ball(images, 1.0).direction(torch.tensor([[[[1.0, -9.0], [-9.0, -9.0]]]]), images)
    assert step.flatten().tolist() == [1, 0, 0, 0]


def test_random_starts_have_the_law_of_the_ball() -> None:
    images = torch.full((4000, 1, 2, 3), 0.5)
    seeds = sample_seeds(0, torch.arange(4000))
    uniform = LinfBall(images, 0.2).random(seeds) - images
    assert abs(uniform.mean()) < 0.003 and abs(uniform.std() - 0.2 / math.sqrt(3)) < 0.002
    for norm, kind in (("l2", L2Ball), ("l1", L1Ball)):
        change = (kind(images, 0.2).random(seeds) - images).flatten(1)
        share = (LENGTHS[norm](change) / 0.2) ** 6  # the share of the volume inside, uniform in [0, 1]
        assert abs(share.mean() - 0.5) < 0.02 and abs(share.std() - 1 / math.sqrt(12)) < 0.01
        assert change.mean(0).abs().max() < 0.006


def test_large_images_stay_within_the_budget() -> None:
    images = torch.rand(2, 3, 224, 224)
    for norm, eps in EPS.items():
        changed = NORMS[norm](images, eps).clip(images + torch.randn_like(images))
        assert (LENGTHS[norm]((changed.double() - images.double()).flatten(1)) <= eps).all()
