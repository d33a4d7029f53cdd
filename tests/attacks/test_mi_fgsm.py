"""MI-FGSM against a plain loop of Dong et al.'s algorithm 1."""

import pytest
import torch
from torch.nn import functional as F

from robustlit.attacks import MIFGSM, PGD
from tests.attacks.networks import Network, batch


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.0])
def test_equals_the_paper_step_by_step(decay) -> None:
    images, targets = batch()
    model = Network().eval().double()
    images = images.double()
    point, followed = images.clone(), torch.zeros_like(images)
    for _ in range(5):
        point.requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(model(point), targets, reduction="sum"), point)
        followed = decay * followed + gradient / gradient.abs().sum((1, 2, 3), keepdim=True)
        point = point.detach() + 0.05 / 5 * followed.sign()
        point = torch.min(torch.max(point, images - 0.05), images + 0.05).clamp(0, 1)
    torch.testing.assert_close(MIFGSM(eps=0.05, steps=5, decay=decay)(model, images, targets), point)


def test_momentum_changes_the_path() -> None:
    images, targets = batch()
    model = Network()
    plain = PGD(eps=0.05, step_size=0.01, steps=5, random_start=False)(model, images, targets)
    assert torch.equal(MIFGSM(eps=0.05, steps=5, decay=0.0)(model, images, targets), plain)
    assert not torch.equal(MIFGSM(eps=0.05, steps=5)(model, images, targets), plain)


def test_a_negative_decay_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected decay of at least 0, got -1"):
        MIFGSM(decay=-1)
