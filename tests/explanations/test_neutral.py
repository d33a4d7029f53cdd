"""Explaining leaves no trace, and works wherever a callback may call it."""

import copy
import gc
import random
import warnings
from collections.abc import Callable
from contextlib import nullcontext

import numpy
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from robustlit.explanations import Occlusion, ScoreCAM, SmoothGrad, cascading_randomisation, explain, insertion_deletion
from robustlit.models import resnet18, small_cnn, unet
from tests.explanations.networks import Pooled

METHODS = ("saliency", "grad_cam", "grad_cam_pp", "layer_cam", "eigen_cam", "guided_backprop", "deconvnet")
MANY = (*METHODS, SmoothGrad(samples=2), Occlusion(8, 8, progress=False), ScoreCAM(progress=False))


def state(model: nn.Module) -> dict[str, object]:
    """Everything that must be as it was, in a form that compares bit for bit."""
    tables = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "modes": [m.training for m in model.modules()],
        "hooks": [len(getattr(m, table)) for m in model.modules() for table in tables],
        "identity": [id(p) for p in model.parameters()] + [id(b) for b in model.buffers()],
        "values": [p.detach().float().numpy().tobytes() for p in [*model.parameters(), *model.buffers()]],
        "versions": [t._version for t in [*model.parameters(), *model.buffers()]],
        "requires_grad": [p.requires_grad for p in model.parameters()],
        "grad": [None if p.grad is None else p.grad.float().numpy().tobytes() for p in model.parameters()],
        "generators": [
            torch.get_rng_state().numpy().tobytes(),
            random.getstate(),
            numpy.random.get_state()[1].tobytes(),
        ],
        "autograd": [torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")],
    }


def half_trained() -> nn.Module:
    """A network in the middle of a step: train mode, a frozen part, gradients waiting."""
    model = small_cnn(num_classes=4, width=8, dropout=0.3)
    model.features[0].requires_grad_(False)
    model.features[0].eval()
    model(torch.rand(4, 3, 32, 32)).sum().backward()
    return model


@pytest.mark.parametrize("context", [nullcontext, torch.no_grad, torch.inference_mode])
def test_everything_is_as_before(context: Callable) -> None:
    model = half_trained()
    with context():
        images = torch.rand(2, 3, 32, 32)
        kept = images.clone()
        before = state(model)
        maps = explain(model, images, methods=MANY)
        insertion_deletion(model, images, maps["saliency"], steps=2)
        cascading_randomisation(model, images, stages=2, progress=False)
        assert state(model) == before
        assert torch.equal(images, kept)
        assert not images.requires_grad


def test_everything_is_as_before_after_an_exception() -> None:
    class Breaks(nn.ReLU):
        def forward(self, x: Tensor) -> Tensor:
            raise KeyError("broken")

    model = half_trained()
    broken = copy.deepcopy(model)
    broken.features[3][2] = Breaks()
    images = torch.rand(2, 3, 32, 32)
    before, late = state(broken), state(model)
    for methods in (METHODS, "occlusion"):
        with pytest.raises(KeyError, match="broken"):
            explain(broken, images, methods=methods, layer="features.1")
    with pytest.raises(KeyError, match="broken"):
        cascading_randomisation(broken, images, layer="features.1", progress=False)
    assert state(broken) == before
    with pytest.raises(ValueError, match="expected a target from 0 to 3"):
        explain(model, images, 9, methods=METHODS)
    assert state(model) == late


@pytest.mark.parametrize(
    "context", [torch.no_grad, torch.inference_mode, lambda: torch.autocast("cpu", torch.bfloat16)]
)
def test_maps_are_the_same_in_every_context(context: Callable) -> None:
    model, images = half_trained(), torch.rand(2, 3, 32, 32)
    expected = explain(model, images, methods=MANY)
    with context():
        found = explain(model, images, methods=MANY)
        inside = explain(model, images.clone(), torch.tensor([0, 1]), methods=MANY)
    for name in expected:
        assert torch.equal(found[name], expected[name])
    assert torch.equal(inside["grad_cam"], explain(model, images, [0, 1], methods=MANY)["grad_cam"])


def test_frozen_models_and_modes_change_nothing() -> None:
    model, images = half_trained(), torch.rand(2, 3, 32, 32)
    expected = explain(model, images, methods=MANY)
    for variant in (copy.deepcopy(model).eval(), copy.deepcopy(model).requires_grad_(False)):
        found = explain(variant, images, methods=MANY)
        assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_in_place_relus_change_nothing() -> None:
    model, images = resnet18(num_classes=4, stem="cifar"), torch.rand(2, 3, 16, 16)
    plain = copy.deepcopy(model)
    for module in plain.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    for layer in ("layer2.0.bn1", "layer3.1", "layer4"):
        found, expected = (explain(net, images, methods=METHODS, layer=layer) for net in (model, plain))
        assert all(torch.equal(found[name], expected[name]) for name in METHODS)


def test_channels_last() -> None:
    model, images = half_trained(), torch.rand(2, 3, 32, 32)
    expected = explain(model, images, methods=METHODS)
    model = model.to(memory_format=torch.channels_last)
    found = explain(model, images.to(memory_format=torch.channels_last), methods=METHODS)
    for name in METHODS:
        assert_close(found[name], expected[name], rtol=1e-4, atol=1e-6)


def test_bf16_weights() -> None:
    model, images = half_trained(), torch.rand(2, 3, 32, 32)
    expected = explain(model, images, 1, methods=METHODS)
    model = model.to(torch.bfloat16)
    before = state(model)
    found = explain(model, images, 1, methods=METHODS)
    assert state(model) == before
    for name in METHODS:
        assert found[name].dtype == torch.float32
        similarity = torch.cosine_similarity(found[name].flatten(1), expected[name].flatten(1))
        assert similarity.min() > 0.95
    assert found.logits.dtype == torch.bfloat16


@pytest.mark.parametrize("whole", [True, False])
def test_compiled_models(whole: bool) -> None:
    """Hooks on compiled code see no gradients; names do not show what compiling adds; nothing is compiled again."""
    model, images, train = half_trained(), torch.rand(2, 3, 32, 32), torch.rand(4, 3, 32, 32)
    plain = copy.deepcopy(model)
    graphs: list[object] = []

    def backend(graph: torch.fx.GraphModule, inputs: object) -> Callable:
        graphs.append(graph)
        return graph.forward

    torch._dynamo.reset()
    if whole:
        compiled: nn.Module = torch.compile(model, backend=backend)
    else:
        model.features = torch.compile(model.features, backend=backend)
        compiled = model
    compiled(train)
    count = len(graphs)
    found = explain(compiled, images, methods=METHODS)
    assert found.layer == "features"
    plain(train)
    expected = explain(plain, images, methods=METHODS)
    compiled(train)
    assert len(graphs) == count >= 1
    assert explain(compiled, images, methods="grad_cam", layer="features.1").layer == "features.1"
    for name in METHODS:
        assert_close(found[name], expected[name])


def test_between_forward_and_backward_the_step_is_not_disturbed() -> None:
    one, two = half_trained(), half_trained()
    two.load_state_dict(one.state_dict())
    images = torch.rand(4, 3, 32, 32)
    for model, watched in ((one, True), (two, False)):
        torch.manual_seed(7)
        model.zero_grad()
        loss = model(images).square().sum()
        if watched:
            explain(model, images, methods=MANY)
        loss.backward()
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert (a.grad is None and b.grad is None) or torch.equal(a.grad, b.grad)


def test_memory_is_flat_over_200_calls() -> None:
    model, images = Pooled(), torch.rand(2, 3, 8, 8)
    methods = ("saliency", "grad_cam", "guided_backprop", SmoothGrad(samples=1))

    def tensors() -> int:
        gc.collect()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return sum(1 for item in gc.get_objects() if type(item) in (Tensor, nn.Parameter))

    explain(model, images, methods=methods)
    before = tensors()
    for _ in range(200):
        explain(model, images, methods=methods)
    assert tensors() == before


def test_a_result_holds_no_graph() -> None:
    maps = explain(unet(num_classes=3, width=4, depth=2), torch.rand(2, 3, 16, 16), methods=METHODS)
    assert all(values.grad_fn is None for values in [*maps.values(), maps.logits])
