"""The losses against plain loops over the papers' formulas."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from robustlit.attacks.losses import Aim, cross_entropy, dlr, kl, margin

LOGITS = torch.randn(3, 6, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3
LABELS = torch.randint(0, 6, (3, 7), generator=torch.Generator().manual_seed(1))
GOALS = (LABELS + 1 + torch.randint(0, 5, (3, 7), generator=torch.Generator().manual_seed(2))) % 6
VALID = torch.ones(3, 7, dtype=torch.bool)
AWAY, TOWARD = Aim(LABELS, VALID), Aim(LABELS, VALID, goals=GOALS)


def each(formula):
    """Apply ``formula(logits of K, label, goal)`` to every element."""
    z, y, t = LOGITS.numpy(), LABELS.numpy(), GOALS.numpy()
    return torch.tensor([[formula(z[n, :, p], y[n, p], t[n, p]) for p in range(7)] for n in range(3)])


def same(found, expected) -> None:
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-9)


def test_cross_entropy() -> None:
    same(cross_entropy(LOGITS, AWAY), each(lambda z, y, t: np.log(np.exp(z).sum()) - z[y]))
    same(cross_entropy(LOGITS, TOWARD), each(lambda z, y, t: z[t] - np.log(np.exp(z).sum())))


def test_one_label_takes_the_kernel_of_a_training_loop() -> None:
    logits, labels = torch.randn(64, 10, requires_grad=True), torch.randint(0, 10, (64,))
    aim = Aim(labels[:, None], torch.ones(64, 1, dtype=torch.bool))
    ours = torch.autograd.grad(cross_entropy(logits[..., None], aim).sum(), logits)[0]
    theirs = torch.autograd.grad(F.cross_entropy(logits, labels, reduction="sum"), logits)[0]
    assert torch.equal(ours, theirs)


def test_margin() -> None:
    same(margin(LOGITS, AWAY), each(lambda z, y, t: max(np.delete(z, y)) - z[y]))
    same(margin(LOGITS, TOWARD), each(lambda z, y, t: z[t] - max(np.delete(z, t))))


def test_dlr() -> None:
    def away(z, y, t):
        ranked = np.sort(z)[::-1]
        return -(z[y] - max(np.delete(z, y))) / (ranked[0] - ranked[2])

    def toward(z, y, t):
        ranked = np.sort(z)[::-1]
        return -(z[y] - z[t]) / (ranked[0] - (ranked[2] + ranked[3]) / 2)

    same(dlr(LOGITS, AWAY), each(away))
    same(dlr(LOGITS, TOWARD), each(toward))
    same(dlr(LOGITS * 100 + 7, AWAY), dlr(LOGITS, AWAY))  # neither scale nor shift matters


def test_dlr_needs_classes() -> None:
    with pytest.raises(ValueError, match="at least 3 classes for the DLR loss, got 2; try loss='margin'"):
        dlr(LOGITS[:, :2], Aim(LABELS % 2, VALID))
    with pytest.raises(ValueError, match="at least 4 classes"):
        dlr(LOGITS[:, :3], Aim(LABELS % 3, VALID, goals=GOALS % 3))


def test_kl() -> None:
    clean = torch.randn_like(LOGITS)
    found = kl(LOGITS, Aim(LABELS, VALID, clean=clean))
    same(found, F.kl_div(LOGITS.log_softmax(1), clean.softmax(1), reduction="none").sum(1))
    assert kl(clean, Aim(LABELS, VALID, clean=clean)).abs().max() < 1e-12
    with pytest.raises(ValueError, match="logits of the clean images"):
        kl(LOGITS, AWAY)
