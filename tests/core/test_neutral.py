"""A model looked at is bit-identical afterwards, whatever was done to it inside."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from robustlit.core import neutral_scope, private


def model() -> nn.Module:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Flatten())
    network[1].eval()  # a frozen norm must stay frozen
    network[0].bias.requires_grad_(False)
    network(torch.rand(2, 3, 8, 8)).sum().backward()
    return network


def snapshot(network: nn.Module) -> list:
    return [
        [child.training for child in network.modules()],
        [p.requires_grad for p in network.parameters()],
        [None if p.grad is None else (id(p.grad), p.grad.clone()) for p in network.parameters()],
        [(id(b), b.clone()) for b in network.buffers()],
        [(len(child._forward_hooks), child._is_full_backward_hook) for child in network.modules()],
        [p.clone() for p in network.parameters()],
        random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state(),
    ]  # fmt: skip


def same(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


def vandalise(network: nn.Module, images: torch.Tensor) -> None:
    assert not any(child.training for child in network.modules())
    network.train()
    torch.rand(3), random.random(), np.random.rand()
    network(images)  # moves BatchNorm's statistics
    network[1].running_mean = torch.ones(4)  # replaces a buffer
    network.register_forward_hook(lambda *_: None)
    network[0].register_full_backward_hook(lambda *_: None)
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    network(images).sum().backward()


@pytest.mark.parametrize("outer", [torch.enable_grad, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left(outer, fails) -> None:
    network = model()
    before = snapshot(network)
    with outer():
        images = torch.full((2, 3, 8, 8), 0.5)
        try:
            with neutral_scope(network, grad=True):
                vandalise(network, private(images))
                if fails:
                    raise RuntimeError("inside")
        except RuntimeError as error:
            assert fails and str(error) == "inside"
        assert torch.is_inference_mode_enabled() == (outer is torch.inference_mode)
    assert same(snapshot(network), before)


@pytest.mark.parametrize("outer", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_gradients_in_every_mode(outer) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    with outer():
        images = torch.rand(2, 3, 2, 2)
        with neutral_scope(network, grad=True):
            x = private(images).requires_grad_()
            (gradient,) = torch.autograd.grad(network(x)[:, 0].sum(), x)
    torch.testing.assert_close(gradient.flatten(1), network[1].weight[0].expand(2, -1))
    assert all(p.grad is None for p in network.parameters())


@pytest.mark.parametrize("training", [True, False])
def test_between_forward_and_backward(training) -> None:
    """Adversarial losses look at the model while the step's own graph is waiting; BatchNorm saves its buffers there."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).train(training)
    images = torch.rand(2, 3, 8, 8)
    loss = network(images).square().mean()
    before = [buffer.clone() for buffer in network.buffers()]
    with neutral_scope(network, grad=True):
        network.train()
        network(private(images))
    loss.backward()
    assert network[0].weight.grad.abs().sum() > 0
    assert same(list(network.buffers()), before)


def test_no_graph_unless_asked_and_no_autocast() -> None:
    network = nn.Linear(4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16), neutral_scope(network):
        output = network(torch.rand(1, 4))
    assert output.dtype == torch.float32 and not output.requires_grad


def test_compiled_submodules_run_eagerly() -> None:
    counted = []
    network = nn.Sequential(nn.Linear(3, 3))
    network[0].register_forward_hook(lambda *_: counted.append(1))
    compiled = torch.compile(network, backend="eager")
    with neutral_scope(compiled, grad=True):
        x = torch.rand(1, 3, requires_grad=True)
        assert torch.autograd.grad(compiled(x).sum(), x)[0].abs().sum() > 0
    assert counted == [1]


def test_private_keeps_containers_and_shares_nothing() -> None:
    batch = {"image": torch.rand(2), "more": [torch.rand(1), "text"], "pair": (torch.rand(1), 3)}
    copied = private(batch)
    copied["image"].zero_(), copied["more"][0].zero_()
    assert batch["image"].sum() > 0 and batch["more"][0].sum() > 0
    assert copied["more"][1] == "text" and copied["pair"][1] == 3
    with torch.inference_mode():
        inference = torch.rand(2)
        with torch.inference_mode(False):
            assert not private(inference).is_inference()
