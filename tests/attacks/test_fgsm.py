"""FGSM on linear models, where the best change is known, and FGSM-RS against its published loop."""

import torch
from torch.nn import functional as F

from robustlit.attacks import FGSM
from tests.attacks.networks import Linear, Network, batch

WEIGHT = torch.randn(3, 48, generator=torch.Generator().manual_seed(0))
IMAGES = torch.rand(4, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 0.4 + 0.3
TARGETS = torch.tensor([0, 1, 2, 0])
MODEL = Linear(WEIGHT, (3, 4, 4))


def slopes():
    """The gradient of the cross entropy, by its formula: W'(softmax - onehot)."""
    share = MODEL(IMAGES).softmax(1) - F.one_hot(TARGETS, 3)
    return (share @ WEIGHT).view_as(IMAGES)


def test_each_norm_takes_the_steepest_step() -> None:
    slope = slopes()
    changed = FGSM(eps=0.1)(MODEL, IMAGES, TARGETS)
    torch.testing.assert_close(changed, IMAGES + 0.1 * slope.sign())
    changed = FGSM(eps=0.1, norm="l2")(MODEL, IMAGES, TARGETS)
    length = slope.flatten(1).norm(dim=1)[:, None, None, None]
    torch.testing.assert_close(changed, IMAGES + 0.1 * slope / length, atol=1e-6, rtol=0)
    changed = FGSM(eps=0.1, norm="l1")(MODEL, IMAGES, TARGETS)  # 1 % of 48 values: the largest one
    largest = slope.flatten(1).abs().argmax(1, keepdim=True)
    step = torch.zeros(4, 48).scatter(1, largest, 0.1 * slope.flatten(1).gather(1, largest).sign())
    torch.testing.assert_close(changed, IMAGES + step.view_as(IMAGES), atol=1e-6, rtol=0)


def test_targets_to_reach_turn_the_step_round() -> None:
    away = FGSM(eps=0.1)(MODEL, IMAGES, TARGETS)
    toward = FGSM(eps=0.1, targeted=True)(MODEL, IMAGES, TARGETS)
    torch.testing.assert_close(toward - IMAGES, IMAGES - away)


def test_random_start_is_the_loop_of_the_paper() -> None:
    images, targets = batch()
    model = Network().eval()
    seen = []
    changed = FGSM(eps=0.05, random_start=True)(lambda x: seen.append(x.detach().clone()) or model(x), images, targets)
    (start,) = seen
    assert (start - images).abs().max() > 0.045
    point = start.clone().requires_grad_()
    F.cross_entropy(model(point), targets).backward()
    delta = (start - images + 1.25 * 0.05 * point.grad.sign()).clamp(-0.05, 0.05)
    torch.testing.assert_close(changed, (images + delta).clamp(0, 1), atol=1e-6, rtol=0)


def test_a_step_of_its_own_length() -> None:
    changed = FGSM(eps=0.1, step_size=0.03)(MODEL, IMAGES, TARGETS)
    torch.testing.assert_close(changed, IMAGES + 0.03 * slopes().sign())
