"""The losses of the methods against their papers' formulas, and the perturbation of weights."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from robustlit.attacks import FGSM, PGD, SegPGD, Square
from robustlit.attacks.base import Attack
from robustlit.core import Adapter
from robustlit.core.random import fold
from robustlit.methods import AWP, MART, TRADES, GradAlign, LogitPairing, Plain, Scene
from robustlit.methods.awp import restore
from robustlit.methods.grad_align import cosine


def network(outputs: int = 4) -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(nn.Flatten(), nn.Linear(48, 16), nn.Softplus(), nn.Linear(16, outputs)).double()


def scene(model, targets, attack=None, adapter=None) -> Scene:
    torch.manual_seed(4)
    clean = torch.rand(len(targets), 3, 4, 4, dtype=torch.float64)
    adversarial = (clean + 0.1 * torch.randn_like(clean)).clamp(0, 1)
    seeds = torch.arange(len(targets))
    return Scene(
        model, clean, adversarial, targets, seeds, attack=attack or FGSM(eps=0.1), adapter=adapter or Adapter()
    )


LABELS = torch.tensor([0, 3, 1, 1, 2])


def test_plain_adds_nothing() -> None:
    view = scene(network(), LABELS)
    assert Plain().term(view) == 0
    expected = F.cross_entropy(view.model(view.adversarial), LABELS)
    torch.testing.assert_close(Plain().objective(view), expected, check_dtype=False)


def test_trades_by_hand() -> None:
    view = scene(network(), LABELS)
    p, q = (view.model(images).detach().softmax(1) for images in (view.clean, view.adversarial))
    divergence = sum(float((p[i] * (p[i] / q[i]).log()).sum()) for i in range(5)) / 5
    assert TRADES(beta=6).term(view).item() == pytest.approx(6 * divergence, rel=1e-9)
    view = view.fresh()
    expected = F.cross_entropy(view.model(view.clean), LABELS) + 6 * divergence
    assert TRADES(beta=6).objective(view).item() == pytest.approx(expected.item(), rel=1e-6)


def test_mart_by_hand() -> None:
    """As in the authors' code: the boosted cross entropy of the adversarial image, and the weighted divergence."""
    view = scene(network(), LABELS)
    p, q = (view.model(images).detach().softmax(1) for images in (view.clean, view.adversarial))
    total = 0.0
    for i, label in enumerate(LABELS.tolist()):
        other = max(float(q[i, k]) for k in range(4) if k != label)
        boosted = -torch.log(q[i, label]) - torch.log(torch.tensor(1.0001 - other))
        divergence = (p[i] * (p[i] / q[i]).log()).sum()
        total += float(boosted + 5 * divergence * (1 - p[i, label])) / 5
    assert MART(beta=5).objective(view).item() == pytest.approx(total, rel=1e-6)


def test_logit_pairing_by_hand() -> None:
    view = scene(network(), LABELS)
    z, adversarial = view.model(view.clean), view.model(view.adversarial)
    mixed = (F.cross_entropy(z, LABELS) + F.cross_entropy(adversarial, LABELS)) / 2
    expected = mixed + 0.5 * F.mse_loss(z, adversarial)
    assert LogitPairing(weight=0.5).objective(view).item() == pytest.approx(expected.item(), rel=1e-6)
    view.own_loss = torch.tensor(7.0)  # whatever the module's own step computed counts half
    own = LogitPairing(weight=0.5).term(view) + view.own_loss
    assert own.item() == pytest.approx(3.5 + (expected - F.cross_entropy(z, LABELS) / 2).item(), rel=1e-6)


def test_grad_align_by_hand_and_its_weight_gradient_numerically() -> None:
    model, method = network(), GradAlign(weight=0.2)
    view = scene(model, LABELS)
    nearby = view.attack.ball(view.clean).random(fold(view.seeds, "grad_align"))
    assert (nearby - view.clean).abs().max() <= 0.1 and (nearby != view.clean).all()

    def misalignment() -> torch.Tensor:
        slopes = []
        for images in (view.clean, nearby):
            images = images.clone().requires_grad_()
            loss = F.cross_entropy(model(images), LABELS, reduction="sum")
            slopes.append(torch.autograd.grad(loss, images)[0].flatten(1))
        return 0.2 * (1 - F.cosine_similarity(*slopes)).mean()

    term = method.term(view)
    assert term.item() == pytest.approx(misalignment().item(), rel=1e-3)
    weight = model[1].weight
    (slope,) = torch.autograd.grad(term, weight)
    direction = slope / slope.norm()
    ends = []
    for sign in (1, -1):
        with torch.no_grad():
            weight += sign * 0.05 * direction
        ends.append(misalignment().item())
        with torch.no_grad():
            weight -= sign * 0.05 * direction
    assert (ends[0] - ends[1]) / 0.1 == pytest.approx(slope.norm().item(), rel=0.05)


def test_samples_without_a_gradient_have_no_angle() -> None:
    first = torch.tensor([[0.0, 0.0], [1.0, 0.0]], requires_grad=True)
    similar, defined = cosine(first, torch.tensor([[1.0, 2.0], [0.0, 3.0]]))
    (slope,) = torch.autograd.grad(similar.sum(), first)
    assert similar.tolist() == [1.0, 0.0] and defined.tolist() == [False, True]
    assert torch.equal(slope, torch.tensor([[0.0, 0.0], [0.0, 1.0]]))


class Dense(nn.Module):
    """Logits of every pixel."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.layer = nn.Conv2d(3, outputs, 3, padding=1).double()

    def forward(self, images):
        return self.layer(images)


@pytest.mark.parametrize("method", [TRADES(beta=1.0), MART(beta=1.0), LogitPairing(weight=1.0)])
def test_ignored_pixels_do_not_count(method) -> None:
    """An image's term is the mean over its valid pixels, computed pixel by pixel as a batch of labels."""
    torch.manual_seed(0)
    masks = torch.randint(3, (2, 4, 4))
    masks[0, :2] = 255
    view = scene(Dense(3), masks, SegPGD(ignore_index=255), Adapter(ignore_index=255))
    expected = []
    for i in range(2):
        chosen = masks[i] != 255
        rows = {which: view.logits(which)[i].movedim(0, -1)[chosen] for which in ("clean", "adversarial")}
        pixels = Scene(nn.Identity(), rows["clean"], rows["adversarial"], masks[i][chosen], None,  # type: ignore
                       attack=PGD(), adapter=Adapter())  # fmt: skip
        expected.append(method.objective(pixels))
    torch.testing.assert_close(method.objective(view), sum(expected) / 2, check_dtype=False, atol=1e-6, rtol=1e-5)


def test_a_binary_mask_is_two_classes_with_logits_0_and_z() -> None:
    masks = torch.randint(2, (2, 1, 4, 4))
    binary = scene(Dense(1), masks)
    one = binary.model

    def two(images):
        z = one(images)
        return torch.cat([torch.zeros_like(z), z], dim=1)

    classes = scene(two, masks[:, 0])
    for method in (TRADES(), MART()):
        torch.testing.assert_close(method.term(binary), method.term(classes))


def test_multi_label_targets() -> None:
    targets = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    view = scene(network(3), targets)
    p, q = view.model(view.clean).sigmoid(), view.model(view.adversarial).sigmoid()
    divergence = p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()
    assert TRADES(beta=2).term(view).item() == pytest.approx(2 * divergence.mean().item(), rel=1e-6)


def test_trades_attacks_the_divergence_from_the_papers_start() -> None:
    attack = TRADES().prepare(PGD(steps=7))
    assert (attack.loss, attack.random_start, attack.steps) == ("kl", "small", 7)
    assert TRADES(random_start=None).prepare(PGD()).random_start is True
    assert TRADES().prepare(FGSM()).loss == "kl"
    assert Plain().prepare(PGD()) == PGD() and MART().prepare(PGD()) == PGD()


def test_a_scene_computes_logits_once_and_takes_what_is_known() -> None:
    calls, model = [], network()

    def counted(images):
        calls.append(1)
        return model(images)

    view = scene(counted, LABELS)
    MART().objective(view)
    assert len(calls) == 2
    view = view.fresh()
    view.know("clean", model(view.clean))
    TRADES().term(view)
    assert len(calls) == 3


def test_grad_align_needs_a_ball() -> None:
    class Patch(Attack):
        def search(self, problem, images, seeds):
            return images

    with pytest.raises(TypeError, match="expected an attack with an eps for GradAlign, got Patch"):
        GradAlign().prepare(Patch())
    assert GradAlign().prepare(Square()) == Square()


class Blocks(nn.Module):
    """A frozen layer, BatchNorm, dropout, a vector, and a weight that nothing uses."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        self.norm, self.drop, self.last = nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2)
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        return self.last(self.drop(self.norm(self.frozen(x))))


def test_perturbation_moves_weights_by_gamma_of_their_norm_and_nothing_else() -> None:
    module, x = Blocks().train(), torch.randn(8, 4)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    generator = torch.get_rng_state()
    saved = AWP(gamma=0.1).perturb(module, lambda: module(x).square().sum())
    assert torch.equal(torch.get_rng_state(), generator)
    moved = {name for name, value in module.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"last.weight"}
    step = module.last.weight.detach() - before["last.weight"]
    assert step.norm().item() == pytest.approx(0.1 * before["last.weight"].norm().item(), rel=1e-5)
    assert [p.requires_grad for p in module.frozen.parameters()] == [False, False]
    assert all(p.grad is None for p in module.parameters())
    restore(saved)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_perturbation_raises_the_loss() -> None:
    module, x = Blocks().eval(), torch.randn(8, 4)
    loss = module(x).square().sum().item()
    saved = AWP(gamma=0.01).perturb(module, lambda: module(x).square().sum())
    assert module(x).square().sum().item() > loss
    restore(saved)
    assert module(x).square().sum().item() == loss


def test_a_failing_objective_leaves_everything() -> None:
    module = Blocks().train()
    before = {name: value.clone() for name, value in module.state_dict().items()}

    def fails():
        module(torch.randn(8, 4))
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        AWP().perturb(module, fails)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert module.last.weight.requires_grad and not module.frozen.weight.requires_grad


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TRADES(beta=-1), "expected beta of at least 0"),
        (lambda: TRADES(beta=float("nan")), "expected beta of at least 0"),
        (lambda: MART(beta=-1), "expected beta of at least 0"),
        (lambda: LogitPairing(weight=-1), "expected weight of at least 0"),
        (lambda: GradAlign(weight=-1), "expected weight of at least 0"),
        (lambda: AWP(gamma=-1), "expected gamma of at least 0"),
        (lambda: AWP(warmup_epochs=-1), "expected warmup_epochs of at least 0"),
    ],
)
def test_bad_settings_are_told(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()
