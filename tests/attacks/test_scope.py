"""The scope an attack searches in."""

import torch

from robustlit.attacks import searching
from tests.attacks.networks import Network, batch


def test_train_flags_can_stay_and_buffers_come_back() -> None:
    model = Network().train()
    model.dropout.eval()
    before, buffers = {name: value.clone() for name, value in model.state_dict().items()}, list(model.buffers())
    with searching(model, train=True):
        assert model.training and not model.dropout.training
        for _ in range(3):
            model(batch()[0])
        assert model.layers[1].num_batches_tracked == 3
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    assert all(one is other for one, other in zip(buffers, model.buffers(), strict=True))


def test_autocast_around_it_stays_on() -> None:
    model = Network()
    with torch.autocast("cpu", torch.bfloat16), searching(model):
        assert model(batch()[0]).dtype == torch.bfloat16


def test_a_pending_backward_still_works() -> None:
    model = Network().train()
    loss = model(batch()[0]).sum()
    with searching(model):
        model(batch()[0])
    loss.backward()
    assert model.head.weight.grad is not None and model.head.weight.requires_grad
