"""What fires and what does not, on figures as papers report them; and what gradients are probed for."""

import pytest
import torch
from torch import nn

from robustlit.attacks import PGD
from robustlit.attacks.losses import Aim
from robustlit.evaluation.attacked.adversarial_alarms import Alarms, History, judge
from robustlit.evaluation.attacked.gradient_probe import gradient_probe, image_losses
from robustlit.evaluation.attacked.jensen_shannon import jensen_shannon


def fired(figures, history=History(), **options):  # noqa: B008
    return {signal.name for signal in judge(figures, history, Alarms(), **options) if signal.fired}


HEALTHY = {"clean": 0.82, "fgsm": 0.57, "pgd": 0.52, "train": 0.60, "square": 0.60, "large_eps": 0.0}
HEALTHY |= {"alignment": 0.8, "zero_gradients": 0.0, "fgsm_loss": 1.1, "pgd_loss": 1.3}


def test_adversarial_training_as_published_is_quiet():
    assert fired(HEALTHY, History(0.51, 0.53)) == set()


def test_an_undefended_network_is_quiet():
    plain = {"clean": 0.94, "fgsm": 0.15, "pgd": 0.0, "train": 0.0, "square": 0.0, "large_eps": 0.0}
    assert fired({**plain, "alignment": 0.05, "zero_gradients": 0.0, "fgsm_loss": 4.0, "pgd_loss": 20.0}) == set()


def test_catastrophic_overfitting_fires_all_its_signals():
    broken = {
        **HEALTHY,
        "pgd_loss": 15.0,
        "clean": 0.85,
        "fgsm": 0.9,
        "pgd": 0.0,
        "train": 0.0,
        "square": 0.2,
        "alignment": 0.03,
    }
    assert fired(broken, History(0.41, 0.42)) == {"fgsm_pgd_gap", "pgd_left_of_fgsm", "pgd_drop", "gradient_alignment"}


@pytest.mark.parametrize(
    ("clean", "fgsm", "pgd", "fires"),
    [
        (0.398, 0.203, 0.062, False),
        (0.344, 0.109, 0.016, False),
        (0.305, 0.164, 0.008, True),
        (0.336, 0.203, 0.0, True),
    ],
)
def test_a_collapse_at_a_large_eps_fires_though_all_scores_are_low(clean, fgsm, pgd, fires):
    """Epochs 6 to 12 of a ResNet-18 of half width on CIFAR-10, FGSM without a random start at eps 16/255."""
    assert ("pgd_left_of_fgsm" in fired({"clean": clean, "fgsm": fgsm, "pgd": pgd})) is fires


@pytest.mark.parametrize(
    ("clean", "fgsm", "pgd"),
    [
        (0.12, 0.11, 0.02),  # a young network, near chance in ten classes
        (0.55, 0.26, 0.0),  # one of two classes that resists nothing yet
        (0.60, 0.30, 0.07),  # of the undefended, the one that one step halves
        (0.45, 0.24, 0.15),  # mean IoU
        (0.40, 0.20, 0.13),  # trained with PGD at 16/255
        (0.30, 0.0, 0.0),
    ],
)
def test_what_pgd_leaves_of_fgsm_is_quiet_where_nothing_collapsed(clean, fgsm, pgd):
    assert fired({"clean": clean, "fgsm": fgsm, "pgd": pgd}) == set()


@pytest.mark.parametrize(
    ("scores", "first"),
    [
        ([(0.344, 0.180, 0.117), (0.422, 0.156, 0.062), (0.336, 0.148, 0.023), (0.328, 0.164, 0.0)], 3),
        ([(0.367, 0.141, 0.094), (0.383, 0.180, 0.125), (0.398, 0.203, 0.062), (0.344, 0.109, 0.016)], 3),
        ([(0.195, 0.148, 0.148), (0.273, 0.172, 0.172), (0.234, 0.164, 0.156), (0.305, 0.180, 0.156)], None),
    ],
    ids=["FGSM, seed 1", "FGSM, seed 0", "PGD"],
)
def test_a_network_trained_on_attacks_that_loses_what_it_had_fires(scores, first):
    """Epochs 2 to 8 of a ResNet-18 of half width on CIFAR-10 at eps 16/255: in seed 1 FGSM breaks it too."""
    history, when = History(), []
    for number, (clean, fgsm, pgd) in enumerate(scores):
        figures = {"clean": clean, "fgsm": fgsm, "pgd": pgd}
        assert "pgd_left_of_best" not in fired(figures, history)  # of a network that nobody defends
        when += [number] if "pgd_left_of_best" in fired(figures, history, trained_on_attacks=True) else []
        history = history.after(pgd)
    assert when == ([] if first is None else [first])


@pytest.mark.parametrize(("best", "fires"), [(0.53, True), (0.45, False)])
def test_robust_overfitting_needs_a_gap_and_a_decline(best, fires):
    late = {**HEALTHY, "train": 0.86, "pgd": 0.45}
    assert ("train_val_gap" in fired(late, History(0.45, best))) is fires


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"zero_gradients": 0.4}, "zero_gradients"),
        ({"square": 0.3}, "black_box_gain"),
        ({"large_eps": 0.3}, "large_eps_score"),
        ({"pgd_loss": 0.9}, "loss_growth"),
    ],
)
def test_each_sign_of_masking_fires_alone(changed, name):
    assert fired({**HEALTHY, **changed}, History(0.52, 0.52)) == {name}


def test_limits_must_be_positive():
    with pytest.raises(ValueError, match=r"gap=0\.3"):
        Alarms(gap=0)


class Wave(nn.Module):
    def forward(self, x):
        wave = torch.sin(200 * x.flatten(1)).sum(1, keepdim=True)
        return torch.cat([wave, -wave], dim=1)


def test_gradients_of_a_linear_model_are_aligned_and_those_of_a_wave_are_not():
    images, targets, seeds = torch.rand(16, 3, 8, 8), torch.randint(2, (16,)), torch.arange(16)
    linear = nn.Sequential(nn.Flatten(), nn.Linear(192, 2))
    assert gradient_probe(linear, images, targets, PGD(eps=0.1), seeds).alignment.min() > 0.999
    assert gradient_probe(Wave(), images, targets, PGD(eps=0.1), seeds).alignment.abs().mean() < 0.2


def test_gradients_that_vanish_are_seen():
    images, targets = torch.rand(4, 3, 8, 8), torch.randint(2, (4,))
    linear = nn.Sequential(nn.Flatten(), nn.Linear(192, 2))

    def saturated(x):
        return linear(x) * (x.flatten(1)[:, :1] > 2) + x.flatten(1)[:, :2] * 0

    assert gradient_probe(saturated, images, targets, PGD(), torch.arange(4)).vanished.all()
    assert not gradient_probe(linear, images, targets, PGD(), torch.arange(4)).vanished.any()


def test_image_losses_are_sums_of_cross_entropy_over_valid_pixels():
    logits, masks = torch.randn(3, 4, 5, 5), torch.randint(4, (3, 5, 5))
    masks[:, 0] = 255
    each = nn.functional.cross_entropy(logits, masks, ignore_index=255, reduction="none").flatten(1).sum(1)
    assert torch.allclose(image_losses(logits, masks, 255), each)


def test_jensen_shannon_is_the_mean_divergence_from_the_middle():
    logits, labels = torch.randn(2, 5, 7), torch.randint(5, (2, 7))
    p, e = logits.softmax(1), nn.functional.one_hot(labels, 5).movedim(-1, 1).float()
    middle = (p + e) / 2
    expected = (torch.special.xlogy(p, p / middle).sum(1) + torch.special.xlogy(e, e / middle).sum(1)) / 2
    found = jensen_shannon(logits, Aim(labels, torch.ones_like(labels, dtype=torch.bool)))
    assert torch.allclose(found, expected, atol=1e-6)
