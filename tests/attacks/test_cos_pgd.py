"""CosPGD against a plain loop with the cosine written out."""

import pytest
import torch
from torch.nn import functional as F

from robustlit.attacks import CosPGD
from tests.attacks.networks import Dense, batch, masks


@pytest.mark.parametrize("targeted", [False, True])
def test_equals_the_paper_step_by_step(targeted) -> None:
    images, _ = batch(4)
    targets = masks(4)
    images, model = images.double(), Dense().double()
    attack = CosPGD(eps=0.03, step_size=0.01, steps=6, random_start=False, ignore_index=255, targeted=targeted)
    point, valid = images.clone(), targets != 255
    onehot = F.one_hot(targets.masked_fill(~valid, 0), 5).movedim(-1, 1).double()
    for _ in range(6):
        point.requires_grad_()
        logits = model(point)
        cosine = F.cosine_similarity(logits.softmax(1), onehot, dim=1).detach()
        losses = F.cross_entropy(logits, targets, reduction="none", ignore_index=255)
        loss = -((1 - cosine) * losses)[valid].sum() if targeted else (cosine * losses)[valid].sum()
        (gradient,) = torch.autograd.grad(loss, point)
        point = point.detach() + 0.01 * gradient.sign()
        point = torch.min(torch.max(point, images - 0.03), images + 0.03).clamp(0, 1)
    torch.testing.assert_close(attack(model, images, targets), point)
