"""Explaining changes nothing: weights, statistics, losses, generators and hooks are bit-identical to a run without."""

import gc
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from callbacks_helpers import board, weights
from explanation_helpers import Quiet, data, delicate, everything, trained, watchers
from torch import Tensor, nn


@pytest.mark.parametrize(
    "settings",
    [{"accumulate_grad_batches": 2, "val_check_interval": 2}, {"precision": "bf16-mixed"}, {"precision": "bf16-true"}],
    ids=["accumulation", "bf16-mixed", "bf16-true"],
)
def test_training_is_bit_identical(tmp_path, settings):
    _, plain = trained(tmp_path / "a", [], **settings)
    trainer, watched = trained(tmp_path / "b", watchers(), **settings)
    assert everything(plain) == everything(watched)
    assert trainer.callback_metrics["explain/drift_cosine"] <= 1 + 1e-6  # it did look
    assert (tmp_path / "b/explanations/probe.png").is_file()


@pytest.mark.parametrize("whole", [True, False])
def test_compiled_training_is_bit_identical_and_compiles_nothing_again(tmp_path, whole):
    counts, results = [], []
    for name, callbacks in (("a", []), ("b", watchers())):
        graphs: list[object] = []

        def backend(graph, inputs, graphs=graphs):
            graphs.append(graph)
            return graph.forward

        torch._dynamo.reset()
        module = delicate(Quiet)
        if whole:
            compiled = torch.compile(module, backend=backend)
        else:
            module.net = torch.compile(module.net, backend=backend)
            compiled = module
        _, module = trained(tmp_path / name, callbacks, module=compiled)
        counts.append(len(graphs))
        results.append(everything(module)[:2])
    assert results[0] == results[1]
    assert counts[0] == counts[1] >= 1
    assert (tmp_path / "b/explanations/probe.png").is_file()


@pytest.mark.parametrize("stage", ["validate", "test"])
def test_validate_and_test_are_bit_identical(tmp_path, stage):
    found = []
    for name, callbacks in (("a", []), ("b", watchers())):
        module = delicate().train()
        trainer = pl.Trainer(
            accelerator="cpu", callbacks=callbacks, logger=board(tmp_path / name), enable_progress_bar=False
        )
        before = everything(module)
        (figures,) = getattr(trainer, stage)(module, data(), verbose=False)
        assert everything(module) == before
        assert all(child.training for child in module.modules())
        found.append((figures["val/loss" if stage == "validate" else "test/loss"], torch.rand(1).item()))
        torch.manual_seed(1)
    assert found[0] == found[1]
    prefix = "test/" if stage == "test" else ""
    assert f"{prefix}explain/insertion" in figures
    assert (tmp_path / f"b/explanations/{prefix}probe.png").is_file()


def test_two_processes_are_bit_identical(tmp_path):
    script = Path(__file__).with_name("ddp_explanations.py")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    for rank in (0, 1):
        assert torch.load(tmp_path / f"plain_{rank}.pt") == torch.load(tmp_path / f"watched_{rank}.pt")
    assert (tmp_path / "watched/explanations/probe.png").is_file()
    assert (tmp_path / "watched/explanations/failures.png").is_file()


class Breaks(pl.Callback):
    """Fails in the middle of the second validation, after the panels have begun."""

    def on_validation_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, dataloader_idx=0):
        if trainer.current_epoch == 1 and batch_idx == 1:
            raise RuntimeError("broken")


def test_everything_is_put_back_after_an_exception(tmp_path):
    results = []
    for name, callbacks in (("a", []), ("b", watchers())):
        module = delicate()
        with pytest.raises(RuntimeError, match="broken"):
            trained(tmp_path / name, [*callbacks, Breaks()], module=module)
        results.append((everything(module), [child.training for child in module.modules()]))
    assert results[0] == results[1]


def test_an_exception_while_explaining_is_one_warning_and_training_goes_on(tmp_path, monkeypatch):
    def broken(*_args, **_options):
        raise ZeroDivisionError("broken")

    _, plain = trained(tmp_path / "a", [])
    monkeypatch.setattr("robustlit.callbacks.explanation_scene.explain", broken)
    with pytest.warns(UserWarning, match="ExplanationPanels: broken") as caught:
        _, watched = trained(tmp_path / "b", watchers())
    assert everything(plain) == everything(watched)
    assert sum("ExplanationPanels: broken" in str(each.message) for each in caught) == 1


def test_memory_is_flat_over_many_validations(tmp_path):
    counts = []

    class Count(pl.Callback):
        def on_train_epoch_start(self, trainer, pl_module):
            gc.collect()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                counts.append(sum(1 for item in gc.get_objects() if type(item) in (Tensor, nn.Parameter)))

    panels = watchers(panels=("probe", "failures", "flips"))[:1]
    trained(tmp_path, [*panels, Count()], epochs=5)
    assert counts[2] == counts[-1]  # the first validations fill the probe and the mistakes


def test_averaged_weights_are_looked_at_and_left(tmp_path):
    from pytorch_lightning.callbacks import EMAWeightAveraging

    _, plain = trained(tmp_path / "a", [EMAWeightAveraging(decay=0.9)])
    _, watched = trained(tmp_path / "b", [*watchers(), EMAWeightAveraging(decay=0.9)])
    assert torch.equal(weights(plain), weights(watched))
