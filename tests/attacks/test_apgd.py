"""APGD against a per-sample loop of Croce and Hein's algorithm 1, and APGD-T's goals."""

import math

import pytest
import torch
from torch.nn import functional as F

from robustlit.attacks import APGD, PGD
from robustlit.attacks.apgd import checkpoints
from tests.attacks.networks import Linear, Network, batch


def test_checkpoints_are_the_papers() -> None:
    shares = [0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99]  # gaps .22 .19 .16 .13 .10 .07 .06 .06
    assert checkpoints(100) == [math.ceil(100 * share - 1e-9) for share in shares]
    assert checkpoints(1) == [1]


def one_sample(model, image, target, start, eps, steps):
    """Algorithm 1 for one image under L∞, in plain Python; returns every iterate with its loss."""

    def value(x):
        x = x.detach().requires_grad_()
        loss = F.cross_entropy(model(x), target)
        (gradient,) = torch.autograd.grad(loss, x)
        return float(loss.detach()), gradient

    def back(x):
        return torch.min(torch.max(x, image - eps), image + eps).clamp(0, 1)

    size, before, x = 2 * eps, start, start
    loss, gradient = value(x)
    best = (loss, x, gradient)
    iterates = [(loss, x)]
    mark, mark_best, mark_size, rises = 0, loss, size, 0
    for k in range(steps):
        z = back(x + size * gradient.sign())
        new = z if k == 0 else back(x + 0.75 * (z - x) + 0.25 * (x - before))
        before, x = x, new
        old, (loss, gradient) = loss, value(x)
        iterates.append((loss, x))
        rises += loss > old
        if loss > best[0]:
            best = (loss, x, gradient)
        if k + 1 in checkpoints(steps):
            kept = size
            if rises < 0.75 * (k + 1 - mark) or (mark > 0 and size == mark_size and best[0] == mark_best):
                size, (loss, x, gradient) = size / 2, best
            mark, mark_best, mark_size, rises = k + 1, best[0], kept, 0
    return iterates


def test_follows_the_algorithm() -> None:
    images, _ = batch(6)
    images = images.double()
    model, seen = Network().eval().double(), []
    targets = model(images).argmax(1)
    APGD(eps=0.05, steps=20)(lambda x: seen.append(x.detach().clone()) or model(x), images, targets)
    assert len(seen) == 21
    for i in range(6):
        path = one_sample(model, images[[i]], targets[[i]], seen[0][[i]], 0.05, 20)
        for ours, (_, theirs) in zip(seen, path, strict=True):
            torch.testing.assert_close(ours[[i]], theirs, atol=1e-7, rtol=0)


def test_starts_at_the_border() -> None:
    images, targets = torch.full((4, 3, 12, 14), 0.5), torch.arange(4)
    for norm, eps, order in (("linf", 0.05, torch.inf), ("l2", 0.5, 2)):
        seen = []
        model = Network().eval()
        APGD(eps=eps, norm=norm, steps=1)(lambda x, s=seen, m=model: s.append(x.detach()) or m(x), images, targets)
        lengths = (seen[0] - images).flatten(1).norm(p=order, dim=1)
        torch.testing.assert_close(lengths, torch.full((4,), eps), atol=1e-5, rtol=0)


def test_is_at_least_as_strong_as_pgd_of_as_many_steps() -> None:
    images, _ = batch(32)
    model = Network().eval()
    targets = model(images).argmax(1)

    def mean_loss(attack):
        return F.cross_entropy(model(attack(model, images, targets)), targets)

    assert mean_loss(APGD(eps=0.02, steps=20)) > 0.99 * mean_loss(PGD(eps=0.02, steps=20))


def test_goals_are_the_likeliest_wrong_classes_in_turn() -> None:
    weight = torch.zeros(5, 12)
    weight[torch.arange(5), torch.arange(5)] = torch.tensor([5.0, 4, 3, 2, 1])
    images = torch.full((1, 3, 2, 2), 0.5)  # logits 2.5, 2, 1.5, 1, 0.5, 0
    seen = []
    linear = Linear(weight, (3, 2, 2))
    attack = APGD(eps=0.01, steps=3, loss="ce", goals=9)
    attack(lambda x: seen.append(x.detach()) or linear(x), images, torch.tensor([0]))
    assert len(seen) == 1 + 4 * 4  # the clean logits, then 4 wrong classes of 1 + 3 gradients
    for number in range(4):
        last = linear(seen[4 * number + 4])[0] - linear(images)[0]
        assert last.argmax() == number + 1


def test_goals_find_what_one_climb_does_not() -> None:
    images, targets = torch.full((6, 1, 4, 8), 0.5), torch.zeros(6, dtype=torch.int64)

    def trap(x):  # the likeliest wrong class never wins; the other one does, by pixels that the first hides
        bait, way = x[..., :4].mean((1, 2, 3)) - 0.5, x[..., 4:].mean((1, 2, 3)) - 0.5
        return torch.stack([0 * bait, -0.1 + 0.09 * torch.tanh(20 * bait), -0.3 + 3 * way], dim=1)

    for goals, won in ((0, 0), (1, 0), (2, 6)):
        changed = APGD(eps=0.2, steps=10, loss="margin", goals=goals)(trap, images, targets)
        assert (trap(changed).argmax(1) != targets).sum() == won


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match="expected goals=0 with targeted=True, got 3"):
        APGD(goals=3, targeted=True)
    with pytest.raises(ValueError, match="expected goals=0 with loss='kl'"):
        APGD(goals=3, loss="kl")
    with pytest.raises(ValueError, match="norm of APGD, got 'l1'"):
        APGD(norm="l1")
