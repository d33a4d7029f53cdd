"""What every attack keeps: range, budget, dtype, per-sample draws, and the model and all global states as they were."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from robustlit.attacks import FGSM, PGD, Attack, BoundedAttack, Square
from tests.attacks.networks import EVERY, LENGTHS, Dense, Network, batch, masks


def length(attack, changed, images):
    return LENGTHS[attack.norm]((changed.double() - images.double()).flatten(1))


def every(test):
    return pytest.mark.parametrize("attack", EVERY, ids=str)(test)


@every
def test_results_are_new_images_within_the_range_and_the_budget(attack) -> None:
    images, _ = batch()
    model, before = Network().eval(), images.clone()
    targets = model(images).argmax(1)  # all right, so that even an attack that stops at a success has to start
    changed = attack(model, images, targets, seed=3)
    assert changed.shape == images.shape and changed.dtype == images.dtype and not changed.requires_grad
    assert changed.min() >= 0 and changed.max() <= 1
    assert (length(attack, changed, images) <= attack.eps).all()
    assert (length(attack, changed, images) > 0.2 * attack.eps).sum() >= 4  # and the budget is used
    assert torch.equal(images, before)


@every
def test_a_sample_does_not_depend_on_its_batch(attack) -> None:
    images, targets = batch()
    model, seeds = Network().eval().double(), torch.arange(8) + 100
    whole = attack(model, images.double(), targets, seed=seeds)
    alone = torch.cat([attack(model, images[[i]].double(), targets[[i]], seed=seeds[[i]]) for i in range(8)])
    torch.testing.assert_close(whole, alone, atol=1e-7, rtol=0)
    order = torch.tensor([5, 2, 7])
    part = attack(model, images[order].double(), targets[order], seed=seeds[order])
    torch.testing.assert_close(part, whole[order], atol=1e-7, rtol=0)


@every
def test_an_attack_repeats_itself(attack) -> None:
    images, targets = batch()
    model = Network()
    assert torch.equal(attack(model, images, targets, seed=1), attack(model, images, targets, seed=1))


def test_another_seed_draws_another_start() -> None:
    images, targets = batch()
    model = Network()
    for attack in (PGD(steps=1), FGSM(random_start=True), Square(eps=0.05, queries=3)):
        assert not torch.equal(attack(model, images, targets, seed=1), attack(model, images, targets, seed=2))


def everything(model):
    flags = [child.training for child in model.modules()]
    wanted = [parameter.requires_grad for parameter in model.parameters()]
    gradients = [None if parameter.grad is None else parameter.grad.clone() for parameter in model.parameters()]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    addresses = [buffer.data_ptr() for buffer in model.buffers()]
    generators = (torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate())
    return flags, wanted, gradients, state, addresses, generators


def assert_same(one, other) -> None:
    assert one[:2] == other[:2] and one[4] == other[4]
    for a, b in zip(one[2], other[2], strict=True):
        assert (a is None and b is None) or torch.equal(a, b)
    assert all(torch.equal(value, other[3][name]) for name, value in one[3].items())
    assert torch.equal(one[5][0], other[5][0]) and (one[5][1] == other[5][1]).all() and one[5][2] == other[5][2]


@every
def test_nothing_is_left_behind(attack) -> None:
    images, targets = batch()
    model = Network().train()
    model.head.eval()
    model.layers[0].weight.requires_grad_(False)
    model.head.weight.grad = torch.ones_like(model.head.weight)
    before = everything(model)
    grad_was = torch.is_grad_enabled()
    attack(model, images, targets)
    attack(model.forward, images, targets)
    assert_same(before, everything(model))
    assert torch.is_grad_enabled() == grad_was


class Stubborn(Network):
    """Draws random numbers in eval mode, counts its calls in a buffer, and fails in the third."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, images):
        self.calls += 1
        random.random()
        np.random.rand()
        if self.calls == 3:
            raise RuntimeError("third call")
        return super().forward(images + 0 * torch.rand(1))


def test_nothing_is_left_behind_after_an_exception() -> None:
    images, targets = batch()
    model = Stubborn().train()
    before = everything(model)
    with pytest.raises(RuntimeError, match="third call"):
        PGD(steps=5)(model, images, targets)
    assert_same(before, everything(model))


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
@every
def test_runs_without_gradients_around_it(attack, context) -> None:
    images, targets = batch()
    model = Network().eval()
    expected = attack(model, images, targets)
    with context():
        assert torch.equal(attack(model, images * 1, targets * 1), expected)


def test_the_model_is_searched_in_eval_mode_with_frozen_parameters() -> None:
    seen = []
    model = Network().train()
    model.register_forward_hook(
        lambda module, args, output: seen.append((module.training, module.head.weight.requires_grad))
    )
    FGSM()(model, *batch())
    assert seen == [(False, False)]


def test_losses_are_float32_under_autocast_and_half_precision_images_come_back_as_such() -> None:
    images, targets = batch()
    model, dtypes = Network().eval(), []

    def loss(logits, aim):
        dtypes.append(logits.dtype)
        return F.cross_entropy(logits, aim.labels, reduction="none")

    with torch.autocast("cpu", torch.bfloat16):
        assert model(images).dtype == torch.bfloat16
        changed = PGD(loss=loss, steps=2)(model, images, targets)
    assert dtypes == [torch.float32] * 2 and changed.dtype == torch.float32
    assert (length(PGD(), changed, images) <= 8 / 255).all()
    half = PGD(steps=2)(model.bfloat16(), images.bfloat16(), targets)
    assert half.dtype == torch.bfloat16 and (half - images).abs().max() < 8 / 255 + 0.004


def test_a_user_loss_is_what_is_made_large() -> None:
    images, targets = batch()
    model = Network().eval()
    changed = PGD(eps=0.1, loss=lambda logits, aim: logits[:, 3])(model, images, targets)
    assert (model(changed)[:, 3] > model(images)[:, 3]).all()


def test_models_with_their_logits_inside_an_output() -> None:
    images, targets = batch()
    model = Network().eval()
    plain = PGD(steps=2)(model, images, targets)
    assert torch.equal(PGD(steps=2)(lambda x: {"out": model(x)}, images, targets), plain)


def test_dense_labels_ignore_what_does_not_count() -> None:
    images, _ = batch()
    model = Dense()
    targets = model(images).argmax(1).masked_fill(masks() == 255, 255)
    attack = PGD(eps=0.02, random_start=False, ignore_index=255)
    changed = attack(model, images, targets)
    other = targets.masked_fill(targets == 255, -100)
    assert torch.equal(changed, replace(attack, ignore_index=-100)(model, images, other))
    valid = targets != 255
    accuracy = [((model(x).argmax(1) == targets) & valid).sum() / valid.sum() for x in (images, changed)]
    assert accuracy[1] < 0.95 * accuracy[0]
    nothing = torch.full_like(targets, 255)
    assert torch.equal(attack(model, images, nothing), images)


def test_several_labels_and_binary_masks() -> None:
    images, _ = batch()
    labels = torch.randint(0, 2, (8, 4))
    model = Network(classes=4).eval()
    losses = [
        F.binary_cross_entropy_with_logits(model(x), labels.float(), reduction="none").sum(1)
        for x in (images, FGSM(eps=0.01)(model, images, labels.float()))
    ]
    assert (losses[1] > losses[0]).all()
    dense, binary = Dense(classes=1), (masks() > 2).long()
    flat = FGSM(eps=0.01)(dense, images, binary)
    assert torch.equal(flat, FGSM(eps=0.01)(dense, images, binary[:, None]))
    by_hand = images.clone().requires_grad_()
    F.binary_cross_entropy_with_logits(dense(by_hand)[:, 0], binary.float(), reduction="sum").backward()
    agree = (flat - images).sign() == by_hand.grad.sign()
    inside = (images > 0.02) & (images < 0.98)
    assert agree[inside].float().mean() > 0.999


def test_an_empty_batch_stays_empty() -> None:
    assert PGD()(Network(), torch.zeros(0, 3, 8, 8), torch.zeros(0, dtype=torch.int64)).shape == (0, 3, 8, 8)


def test_an_attack_without_a_budget_is_an_attack() -> None:
    class Black(Attack):
        def search(self, problem, images, seeds):
            return torch.where((problem.look(images * 0).losses > 0)[:, None, None, None], images * 0, images)

    assert not issubclass(Black, BoundedAttack)
    images, targets = batch()
    assert Black()(Network(), images, targets).max() == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PGD(eps=8), "expected eps in [0, 1], the range of pixels, got 8; try 8/255"),
        (lambda: PGD(step_size=2), "expected step_size in [0, 1], the range of pixels, got 2; try 2/255"),
        (lambda: FGSM(eps=-0.1), "expected eps of at least 0, got -0.1; try 8/255"),
        (lambda: FGSM(eps=float("nan")), "expected eps of at least 0, got nan; try 8/255"),
        (lambda: PGD(norm="linfinity"), "got 'linfinity'; try 'linf'"),
        (lambda: Square(norm="l2"), "expected the name of a norm of Square, got 'l2'"),
        (lambda: PGD(loss="dl"), "got 'dl'; try 'dlr'"),
        (lambda: PGD(schedule="cos"), "got 'cos'; try 'cosine'"),
        (lambda: PGD(loss="dlr", targeted=True), "for a targeted attack, got 'dlr'; try 'margin'"),
        (lambda: PGD(steps=0), "expected steps of at least 1, got 0"),
        (lambda: PGD(loss="kl", random_start=False), "try random_start='small'"),
    ],
)
def test_wrong_settings(make, message) -> None:
    with pytest.raises(ValueError) as error:
        make()
    assert message in str(error.value) and "\n" not in str(error.value)


def test_wrong_input() -> None:
    images, targets = batch()
    model = Network()
    for bad, message in ((images * 3 - 1, "looks normalised"), (images * 255, "dividing them by 255")):
        with pytest.raises(ValueError, match=message):
            PGD()(model, bad, targets)
    with pytest.raises(ValueError, match="expected labels from 0 to 4, got 255; try ignore_index=255"):
        PGD()(model, images, targets.index_fill(0, torch.tensor([2]), 255))
    with pytest.raises(ValueError, match="expected labels from 0 to 4, got -1"):
        PGD()(model, images, targets - 1)
    with pytest.raises(ValueError, match="expected 8 targets, got 3"):
        PGD()(model, images, targets[:3])
    with pytest.raises(ValueError, match="one seed for each of 8 images"):
        PGD()(model, images, targets, seed=torch.arange(3))
    with pytest.raises(ValueError, match="logits that fit targets of shape"):
        PGD()(Dense(), images, masks()[:, ::2, ::2])
    with pytest.raises(ValueError, match="targets 0 or 1"):
        PGD()(model, images, torch.full((8, 5), 0.3))
    with pytest.raises(ValueError, match=r"try Square\(\)"):
        PGD()(lambda x: torch.zeros(len(x), 5), images, targets)
    with pytest.raises(ValueError, match="l2 distance of black and white"):
        PGD(eps=128, norm="l2")(model, images, targets)


def test_probabilities_in_the_place_of_logits_are_warned_of_once() -> None:
    images, targets = batch()
    model = Network().eval()
    with pytest.warns(UserWarning, match="looks like probabilities") as caught:
        PGD(steps=3)(lambda x: model(x).softmax(1), images, targets)
    assert len(caught) == 1
