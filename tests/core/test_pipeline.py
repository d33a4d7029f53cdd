"""Stages run in their order, whoever joined first, and nothing of them stays."""

import copy
import pickle

import pytest
import torch
from torch import nn

from robustlit.core import Pipeline


class Module(nn.Module):
    """Records what its step is given."""

    automatic_optimization = True

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(1, 1, bias=False)

    def forward(self, x):
        return self.linear(x)

    def training_step(self, batch, batch_idx):
        return {"loss": self(batch).sum(), "seen": batch.clone()}


@pytest.fixture
def module() -> Module:
    return Module()


def shift(amount):
    return lambda module, batch, batch_idx: batch + amount


def test_order_is_fixed_whoever_joins_first(module) -> None:
    pipeline = Pipeline.join(module, "attacker")
    pipeline.add("attack", "attacker", lambda module, batch, batch_idx: batch * 10)
    Pipeline.join(module, "augmenter").add("augment", "augmenter", shift(1))
    pipeline.add_loss("attacker", lambda module, step: step.batch.sum() * 0 + 5)
    pipeline.add_loss("attacker", lambda module, step: step.original.sum())
    plain = module.forward(torch.tensor([[30.0]])).item()
    output = module.training_step(torch.tensor([[2.0]]), 0)
    assert output["seen"].item() == 30 and output["loss"].item() == pytest.approx(plain + 5 + 2)


def test_extra_loss_sees_the_steps_forward(module) -> None:
    pipeline = Pipeline.join(module, self := object())
    seen = []
    pipeline.add_loss(self, lambda module, step: seen.append(step) or step.forward.sum())
    output = module.training_step(torch.ones(1, 1), 3)
    weight = module.linear.weight.item()
    assert output["loss"].item() == pytest.approx(2 * weight) and seen[0].batch_idx == 3
    assert not module._forward_hooks


def test_last_to_leave_removes_everything(module) -> None:
    before = dict(vars(module))
    for owner in ("a", "b"):
        Pipeline.join(module, owner).add("augment", owner, shift(1))
    Pipeline.leave(module, "a")
    assert module.training_step(torch.zeros(1, 1), 0)["seen"].item() == 1
    Pipeline.leave(module, "b")
    Pipeline.leave(module, "b")
    assert vars(module) == before and "training_step" not in vars(module)


def test_previous_instance_attribute_is_used_and_put_back(module) -> None:
    compiled = lambda batch, batch_idx: {"loss": batch.sum() * 100}  # noqa: E731
    module.training_step = compiled
    Pipeline.join(module, "a").add("augment", "a", shift(1))
    assert module.training_step(torch.zeros(1, 1), 0)["loss"].item() == 100
    Pipeline.leave(module, "a")
    assert module.training_step is compiled


def test_deepcopy_runs_the_stages_on_its_own_weights(module) -> None:
    Pipeline.join(module, "a").add("augment", "a", shift(1))
    other = copy.deepcopy(module)
    with torch.no_grad():
        other.linear.weight.fill_(7)
    assert other.training_step(torch.ones(1, 1), 0)["loss"].item() == 14
    assert module.training_step(torch.ones(1, 1), 0)["loss"].item() == pytest.approx(2 * module.linear.weight.item())
    Pipeline.leave(module, "a")
    assert other.training_step(torch.ones(1, 1), 0)["loss"].item() == 7


def test_a_copy_that_gets_its_own_stages_leaves_the_original_alone(module) -> None:
    module.training_step = lambda batch, batch_idx: {"loss": batch.sum() * 0, "seen": batch + 1000}  # say, compiled
    Pipeline.join(module, "a").add("augment", "a", shift(1))
    other = copy.deepcopy(module)
    Pipeline.join(other, "b").add("augment", "b", shift(10))
    assert module.training_step(torch.zeros(1, 1), 0)["seen"].item() == 1001
    assert other.training_step(torch.zeros(1, 1), 0)["seen"].item() == 10
    Pipeline.leave(other, "b")
    assert "training_step" not in vars(other) and module.training_step(torch.zeros(1, 1), 0)["seen"].item() == 1001


def test_pickled_module_has_its_plain_step(module) -> None:
    Pipeline.join(module, "a").add("augment", "a", shift(1))
    other = pickle.loads(pickle.dumps(module))
    assert other.training_step(torch.ones(1, 1), 0)["seen"].item() == 1
    Pipeline.join(other, "b").add("augment", "b", shift(2))
    assert other.training_step(torch.ones(1, 1), 0)["seen"].item() == 3
    assert module.training_step(torch.ones(1, 1), 0)["seen"].item() == 2


def test_skipped_batch_stays_skipped(module) -> None:
    module.training_step = lambda batch, batch_idx: None
    Pipeline.join(module, "a").add_loss("a", lambda module, step: 1 / 0)
    assert module.training_step(torch.ones(1, 1), 0) is None


def test_manual_optimisation_has_no_extra_loss(module) -> None:
    module.automatic_optimization = False
    with pytest.raises(ValueError, match="expected automatic optimization"):
        Pipeline.join(module, "a").add_loss("a", lambda module, step: step.output)


@pytest.mark.parametrize("signature", ["batch", "batch_idx", "dataloader_idx", "keywords"])
def test_every_signature(signature) -> None:
    class Batch(nn.Module):
        def training_step(self, batch):
            return batch

    class BatchIdx(nn.Module):
        def training_step(self, batch, batch_idx):
            return batch

    class DataLoaderIdx(nn.Module):
        def training_step(self, batch, batch_idx, dataloader_idx=0):
            return batch

    from pytorch_lightning.utilities.signature_utils import is_param_in_hook_signature

    owner = {"batch": Batch, "batch_idx": BatchIdx, "dataloader_idx": DataLoaderIdx, "keywords": BatchIdx}[signature]
    other = owner()
    takes_index = is_param_in_hook_signature(other.training_step, "batch_idx", min_args=2)
    Pipeline.join(other, "a").add("augment", "a", shift(1))
    assert is_param_in_hook_signature(other.training_step, "batch_idx", min_args=2) == takes_index
    calls = {
        "batch": lambda step: step(1),
        "batch_idx": lambda step: step(1, 0),
        "dataloader_idx": lambda step: step(1, 0, 0),
        "keywords": lambda step: step(batch=1, batch_idx=0),
    }
    assert calls[signature](other.training_step) == 2
