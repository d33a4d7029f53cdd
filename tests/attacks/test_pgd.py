"""PGD against a plain loop, against optima known in closed form, and its options one by one."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from robustlit.attacks import PGD, SegPGD
from tests.attacks.networks import Dense, Linear, Network, batch

WEIGHT = torch.randn(2, 300, generator=torch.Generator().manual_seed(0))
MIDDLE = torch.full((3, 3, 10, 10), 0.5)
LINEAR = Linear(WEIGHT, (3, 10, 10))
ZEROS = torch.zeros(3, dtype=torch.int64)


def losses(model, images, targets):
    with torch.no_grad():
        return F.cross_entropy(model(images), targets, reduction="none")


def test_equals_a_plain_loop_bit_for_bit() -> None:
    images, targets = batch()
    model = Network().eval()
    changed = PGD(eps=0.05, step_size=0.02, steps=5, random_start=False)(model, images, targets)
    for context in (torch.enable_grad, lambda: torch.autocast("cpu", torch.bfloat16)):
        with context():
            ours = PGD(eps=0.05, step_size=0.02, steps=5, random_start=False)(model, images, targets)
            point, step = images.clone(), torch.nextafter(torch.tensor(0.05), torch.tensor(0.0)).item()
            low, high = images - step, images + step
            low = torch.where((images.double() - low.double()) > 0.05, low.nextafter(images), low).clamp(0, 1)
            high = torch.where((high.double() - images.double()) > 0.05, high.nextafter(images), high).clamp(0, 1)
            for _ in range(5):
                point.requires_grad_()
                loss = F.cross_entropy(model(point), targets, reduction="sum")
                (gradient,) = torch.autograd.grad(loss, point)
                point = (point.detach() + 0.02 * gradient.sign()).clamp(low, high)
        assert torch.equal(ours, point)
    assert not torch.equal(ours, changed)  # bfloat16 was used


def test_reaches_the_optimum_of_a_linear_model() -> None:
    slope = (WEIGHT[1] - WEIGHT[0]).view(3, 10, 10)
    changed = PGD(eps=0.1, steps=20)(LINEAR, MIDDLE, ZEROS)
    torch.testing.assert_close(changed, MIDDLE + 0.1 * slope.sign())
    changed = PGD(eps=0.5, step_size=0.5, steps=20, norm="l2")(LINEAR, MIDDLE, ZEROS)
    torch.testing.assert_close(changed, MIDDLE + 0.5 * slope / slope.norm(), atol=2e-3, rtol=0)
    # L1 with room for 0.5 a value: 2.2 is spent on the 5 largest slopes, the fifth gets the rest
    changed = PGD(eps=2.2, steps=60, norm="l1", random_start=False, schedule="linear")(LINEAR, MIDDLE, ZEROS)
    gain = ((changed - MIDDLE) * slope).flatten(1).sum(1)
    largest = slope.abs().flatten().sort(descending=True).values
    best = 0.5 * largest[:4].sum() + 0.2 * largest[4]
    assert (gain > 0.97 * best).all() and (gain <= best + 1e-4).all()


def test_default_step_is_the_papers_rule() -> None:
    images, targets = batch()
    model = Network()
    default = PGD(eps=8 / 255, steps=10)(model, images, targets)
    torch.testing.assert_close(default, PGD(eps=8 / 255, step_size=2 / 255, steps=10)(model, images, targets))
    wider = replace(PGD(eps=8 / 255, steps=10), eps=16 / 255)
    assert wider.usual_step() == 2 * PGD(eps=8 / 255, steps=10).usual_step()


def test_best_iterate_is_never_worse_than_any_iterate() -> None:
    images, targets = batch()
    model, seen = Network().eval(), []
    attack = PGD(eps=0.1, step_size=0.08, steps=6, best=True)  # long steps, so that the last is not the best
    changed = attack(lambda x: seen.append(x.detach().clone()) or model(x), images, targets)
    assert len(seen) == 7
    every = torch.stack([losses(model, x, targets) for x in seen])
    wrong = torch.stack([model(x).argmax(1) != targets for x in seen])
    final, found = losses(model, changed, targets), model(changed).argmax(1) != targets
    assert torch.equal(found, wrong.any(0))
    expected = torch.where(wrong == wrong.any(0), every, -torch.inf).amax(0)
    torch.testing.assert_close(final, expected)
    assert (every.amax(0) > every[-1]).any()


def test_restarts_keep_the_worst_of_every_sample() -> None:
    images, targets = batch(8)
    model = Network().eval()
    targets = model(images).argmax(1)
    attack = PGD(eps=0.01, steps=2, restarts=4)
    changed = attack(model, images, targets)
    one = replace(attack, restarts=1, best=True)(model, images, targets)
    won = (model(changed).argmax(1) != targets).float()
    assert (won >= (model(one).argmax(1) != targets).float() - 0).all()
    still = won == 0
    assert (losses(model, changed, targets)[still] >= losses(model, one, targets)[still] - 1e-5).all()
    assert (losses(model, changed, targets) > losses(model, one, targets)).any()


def test_restarts_leave_out_samples_already_won() -> None:
    images, targets = batch(8)
    model, sizes = Network().eval(), []
    targets = model(images).argmax(1)
    targets[:3] = (targets[:3] + 1) % 5  # wrong from the start

    def counting(x):
        sizes.append(len(x))
        return model(x)

    PGD(eps=1e-6, steps=1, restarts=3)(counting, images, targets)
    assert sizes == [8, 8, 5, 5, 5, 5]


def test_restarts_of_dense_labels_keep_the_image_with_the_most_wrong_pixels() -> None:
    images, _ = batch(4)
    model = Dense()
    targets = model(images).argmax(1)
    changed = PGD(eps=0.01, steps=2, restarts=3)(model, images, targets)
    single = [PGD(eps=0.01, steps=2, best=False, restarts=k)(model, images, targets) for k in (1, 2)]
    wrong = [(model(x).argmax(1) != targets).flatten(1).sum(1) for x in (*single, changed)]
    assert (wrong[2] >= wrong[1]).all()


def test_targets_to_reach() -> None:
    images, _ = batch(8)
    model = Network().eval()
    goals = (model(images).argmax(1) + 1) % 5
    for loss in ("ce", "margin"):
        changed = PGD(eps=0.3, steps=20, targeted=True, loss=loss)(model, images, goals)
        assert (model(changed)[torch.arange(8), goals] > model(images)[torch.arange(8), goals]).all()
        assert (losses(model, changed, goals) < losses(model, images, goals)).all()


def test_each_loss_grows() -> None:
    images, _ = batch(8)
    model = Network().eval()
    targets = model(images).argmax(1)
    for loss in ("ce", "margin", "dlr"):
        changed = PGD(eps=0.05, steps=5, loss=loss)(model, images, targets)
        assert (losses(model, changed, targets) > losses(model, images, targets)).all()
    clean = model(images).log_softmax(1).detach()
    changed = [PGD(eps=0.05, steps=steps, step_size=0.02, loss="kl")(model, images, targets) for steps in (1, 8)]
    moved = [(clean.exp() * (clean - model(x).log_softmax(1))).sum(1).detach() for x in changed]
    assert (moved[1] > moved[0]).all() and (moved[0] > 0).all()
    with pytest.raises(ValueError, match="at least 3 classes"):
        PGD(loss="dlr")(LINEAR, MIDDLE, ZEROS)


def test_kl_takes_clean_logits_and_saves_a_forward_pass() -> None:
    images, targets = batch(8)
    model, calls = Network().eval(), []

    def counting(x):
        calls.append(1)
        return model(x)

    attack = PGD(eps=0.05, steps=3, loss="kl", random_start="small")
    from_labels = attack(counting, images, targets)
    assert len(calls) == 4
    calls.clear()
    assert torch.equal(attack(counting, images, model(images)), from_labels)
    assert len(calls) == 3


def test_small_start_is_that_of_trades() -> None:
    seen = []
    images = MIDDLE.repeat(20, 1, 1, 1)
    PGD(steps=1, random_start="small")(lambda x: seen.append(x.detach()) or LINEAR(x), images, ZEROS.repeat(20))
    assert abs((seen[0] - images).std() - 0.001) < 2e-5


def test_a_run_costs_its_steps() -> None:
    calls = []
    PGD(steps=7)(lambda x: calls.append(1) or LINEAR(x), MIDDLE, ZEROS)
    assert len(calls) == 7


def test_schedules_reach_every_sample() -> None:
    images, targets = batch(8)
    model, calls = Network().eval(), []

    def schedule(step, steps, losses):
        calls.append((step, steps, len(losses)))
        return torch.tensor([0.0, 1, 1, 1, 1, 1, 1, 1])

    changed = PGD(steps=3, random_start=False, schedule=schedule)(model, images, targets)
    plain = PGD(steps=3, random_start=False)(model, images, targets)
    assert torch.equal(changed[0], images[0]) and torch.equal(changed[1:], plain[1:])
    assert calls == [(0, 3, 1), (1, 3, 2), (2, 3, 3)]


def test_float16_models_keep_small_gradients() -> None:
    images, _ = batch(4)
    images, targets = images.half(), torch.tensor([0, 1, 0, 1])
    linear = Linear(torch.randn(2, 3 * 12 * 14), (3, 12, 14))
    small = 2.0**-12  # the gradient is about 2⁻²⁵, half of the smallest float16

    changed = PGD(steps=1, random_start=False, eps=0.02)(lambda x: linear(x * small * small), images, targets)
    inside = (images > 0.1) & (images < 0.9)
    assert ((changed != images)[inside]).float().mean() > 0.95


def test_nan_gradients_leave_images_in_range() -> None:
    images, targets = batch(4)
    changed = PGD(steps=2)(lambda x: LINEAR(x[..., :10, :10]) * torch.nan, images, targets % 2)
    assert changed.isfinite().all() and changed.min() >= 0 and changed.max() <= 1


def test_only_seg_pgd_weighs_pixels() -> None:
    assert SegPGD.weigh is not PGD.weigh
