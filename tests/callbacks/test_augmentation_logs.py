"""What the Augmentation callback logs: schedules, costs and the picture."""

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from robustlit.augmentations import AugMix, CutMix, PatchGaussian, StyleTransfer
from robustlit.augmentations.schedules import Constant, Cosine, Linear, Step
from robustlit.callbacks import Augmentation
from robustlit.core import Adapter
from tests.tiny import ForeignModule, loader, trainer, weights


class Watches(pl.Callback):
    def __init__(self, operation, *names: str) -> None:
        self.operation, self.names, self.values, self.logged = operation, names, [], []

    def on_train_batch_end(self, *_) -> None:
        self.values.append(tuple(getattr(self.operation, name) for name in self.names))

    def on_train_epoch_end(self, trainer, pl_module) -> None:
        self.logged.append({key: float(value) for key, value in trainer.callback_metrics.items()})


def test_settings_follow_their_schedules_are_logged_and_put_back() -> None:
    operation = PatchGaussian(patch_size=5, max_sigma=1.0)
    schedules = {
        "patch_gaussian": {"max_sigma": Linear(0.0, 0.8), "patch_size": Step((1, 4), (2,)), "p": Cosine(1.0, 0.5)}
    }
    watch = Watches(operation, "max_sigma", "patch_size", "p")
    callback = Augmentation(operation, schedules=schedules)
    trainer([callback, watch], max_epochs=5).fit(ForeignModule(), loader(batch_size=32))
    assert [value[0] for value in watch.values] == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8])
    assert [value[1] for value in watch.values] == [1, 1, 4, 4, 4]
    assert [value[2] for value in watch.values] == pytest.approx([1.0, 0.927, 0.75, 0.573, 0.5], abs=1e-3)
    logged = [each["train/augmentation/patch_gaussian/max_sigma"] for each in watch.logged]
    assert logged == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8])
    assert (operation.max_sigma, operation.patch_size, operation.p) == (1.0, 5, 1.0)


def test_a_range_keeps_its_lower_end_and_a_front_hands_its_settings_on() -> None:
    operation = StyleTransfer("fourier", p=1.0, beta=(0.02, 0.1))
    watch = Watches(operation.operation, "beta", "alpha")
    schedules = {"style_transfer": {"beta": Linear(0.01, 0.2), "alpha": Constant(0.5)}}
    trainer([Augmentation(operation, schedules=schedules), watch]).fit(ForeignModule(), loader(batch_size=32))
    assert watch.values == [((0.01, 0.01), (0.5, 0.5)), ((0.02, 0.2), (0.5, 0.5))]
    assert operation.operation.beta == (0.02, 0.1)


@pytest.mark.parametrize(
    ("schedules", "error", "message"),
    [
        ({"patch_gausian": {"p": Constant(1.0)}}, ValueError, "try 'patch_gaussian'"),
        ({"patch_gaussian": {"max_sigm": Constant(1.0)}}, ValueError, "try 'max_sigma'"),
        ({"patch_gaussian": {"p": 0.5}}, TypeError, "expected a schedule for patch_gaussian.p"),
    ],
)
def test_wrong_schedules_are_told_at_once(schedules, error, message) -> None:
    with pytest.raises(error, match=message):
        Augmentation(PatchGaussian(5), schedules=schedules)


def test_a_value_out_of_range_is_an_error_before_the_first_step() -> None:
    callback = Augmentation(PatchGaussian(5), schedules={"patch_gaussian": {"p": Linear(0.0, 2.0)}})
    watch = Watches(None)
    with pytest.raises(ValueError, match=r"expected p of PatchGaussian in \[0, 1\], got 2"):
        trainer([callback, watch]).fit(ForeignModule(), loader())
    assert not watch.values


def test_a_number_that_a_file_has_without_a_point_is_not_rounded() -> None:
    operation = AugMix(severity=3, p=1)
    watch = Watches(operation, "severity", "p")
    schedules = {"aug_mix": {"severity": Linear(0.5, 3), "p": Constant(0.4)}}
    trainer([Augmentation(operation, schedules=schedules), watch]).fit(ForeignModule(), loader(batch_size=32))
    assert watch.values == [(0.5, 0.4), (3.0, 0.4)]
    assert (operation.severity, operation.p) == (3, 1)


@pytest.mark.parametrize(
    "wrong", [lambda: Linear(0, 1, epochs=0), lambda: Step((1,), (2,)), lambda: Step((1, 2, 3), (3, 2))]
)
def test_wrong_arguments_of_schedules(wrong) -> None:
    with pytest.raises(ValueError, match="expected"):
        wrong()


def test_a_schedule_over_all_epochs_needs_an_end() -> None:
    with pytest.raises(ValueError, match="in a training without an end; try epochs=10"):
        Linear(0, 1).at(3, None)
    assert Linear(0, 1, epochs=3).at(1, None) == 0.5


def test_cost_of_every_operation_and_of_the_term() -> None:
    watch = Watches(None)
    operations = [PatchGaussian(5), StyleTransfer("fourier"), AugMix(jsd_weight=1.0)]
    trainer([Augmentation(operations), watch]).fit(ForeignModule(), loader())
    logged = watch.logged[1]
    parts = ("patch_gaussian", "style_transfer", "jsd")
    for name in parts:
        assert logged[f"cost/augmentation/{name}_ms"] > 0 and 0 < logged[f"cost/augmentation/{name}_share"] < 1
    seconds = sum(logged[f"cost/augmentation/{name}_ms"] for name in parts) * 4 / 1000  # four batches an epoch
    assert logged["cost/augmentation_seconds"] == pytest.approx(seconds, rel=1e-4)
    shares = sum(logged[f"cost/augmentation/{name}_share"] for name in parts)
    assert logged["cost/augmentation_share"] == pytest.approx(shares, rel=1e-4) and shares < 1


def pictures(folder) -> list:
    events = EventAccumulator(str(folder))
    events.Reload()
    return events.Images("train/augmentation") if "train/augmentation" in events.Tags()["images"] else []


@pytest.mark.parametrize(("every", "steps"), [(1, [0, 4, 8]), (2, [0, 8])])
def test_the_picture_comes_in_every_so_many_epochs(tmp_path, every, steps) -> None:
    logger = TensorBoardLogger(str(tmp_path), name="", version="")
    operations = [PatchGaussian(5), CutMix()]
    adapter = Adapter(soft_targets=True)
    callback = Augmentation(operations, adapter=adapter, num_classes=4, pictures=3, every_n_epochs=every)
    trainer([callback], logger=logger, max_epochs=3, log_every_n_steps=1).fit(ForeignModule(), loader())
    found = pictures(tmp_path)
    assert [each.step for each in found] == steps
    assert found[0].width > 3 * 128 and found[0].height > 3 * 128


def test_the_picture_changes_nothing(tmp_path) -> None:
    results = []
    for rows in (0, 4):
        torch.manual_seed(3)
        module = ForeignModule(dropout=0.5)
        logger = TensorBoardLogger(str(tmp_path / str(rows)), name="", version="")
        torch.manual_seed(5)
        trainer([Augmentation(AugMix(jsd_weight=1.0), pictures=rows)], logger=logger).fit(module, loader())
        results.append(weights(module))
    assert torch.equal(*results)
    assert not pictures(tmp_path / "0") and pictures(tmp_path / "4")


@pytest.mark.parametrize("options", [{"pictures": -1}, {"every_n_epochs": 0}])
def test_wrong_settings_of_the_picture(options) -> None:
    with pytest.raises(ValueError, match="expected pictures from 0 to 32"):
        Augmentation(PatchGaussian(5), **options)
