"""SegPGD against a plain loop of Gu et al.'s algorithm."""

import torch
from torch.nn import functional as F

from robustlit.attacks import PGD, SegPGD
from tests.attacks.networks import Dense, batch, masks


def test_equals_the_paper_step_by_step() -> None:
    images, _ = batch(4)
    targets = masks(4)
    images, model = images.double(), Dense().double()
    attack = SegPGD(eps=0.03, step_size=0.01, steps=6, random_start=False, ignore_index=255)
    point, valid = images.clone(), targets != 255
    for t in range(6):
        point.requires_grad_()
        logits = model(point)
        share = t / (2 * 6)
        right = (logits.argmax(1) == targets) & valid
        wrong = (logits.argmax(1) != targets) & valid
        losses = F.cross_entropy(logits, targets, reduction="none", ignore_index=255)
        loss = ((1 - share) * losses[right]).sum() + (share * losses[wrong]).sum()
        (gradient,) = torch.autograd.grad(loss, point)
        point = point.detach() + 0.01 * gradient.sign()
        point = torch.min(torch.max(point, images - 0.03), images + 0.03).clamp(0, 1)
    torch.testing.assert_close(attack(model, images, targets), point)


def test_leaves_fewer_pixels_right_than_pgd() -> None:
    images, _ = batch(8)
    model = Dense()
    targets = model(images).argmax(1)
    right = [
        (model(kind(eps=0.1, steps=20)(model, images, targets)).argmax(1) == targets).float().mean()
        for kind in (PGD, SegPGD)
    ]
    assert right[1] < right[0] - 0.005


def test_targets_to_reach_weigh_pixels_that_have_not_reached_theirs() -> None:
    images, _ = batch(4)
    model, goals = Dense(), masks(4)
    attack = SegPGD(eps=0.05, steps=10, targeted=True, ignore_index=255)
    valid = goals != 255
    reached = [((model(x).argmax(1) == goals) & valid).sum() for x in (images, attack(model, images, goals))]
    assert reached[1] > reached[0]


def test_best_iterate_counts_wrong_pixels_whatever_the_weights() -> None:
    images, _ = batch(4)
    model, seen = Dense(), []
    targets = model(images).argmax(1)
    attack = SegPGD(eps=0.02, steps=5, best=True)
    changed = attack(lambda x: seen.append(x.detach().clone()) or model(x), images, targets)
    wrong = torch.stack([(model(x).argmax(1) != targets).flatten(1).sum(1) for x in (*seen, changed)])
    assert torch.equal(wrong[-1], wrong[:-1].amax(0))
