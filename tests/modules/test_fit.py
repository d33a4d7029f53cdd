"""Every task trains, evaluates, survives copies and precision, and its figures are those of a loop."""

import copy
import math
import pickle

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EMAWeightAveraging, ModelCheckpoint
from torch.nn import functional as F
from torchmetrics.classification import MulticlassCalibrationError

TASKS = ("single", "multilabel", "segmentation", "binary")
KEYS = {
    "single": {"val/loss", "val/accuracy", "val/auroc", "val/calibration_error"},
    "multilabel": {"val/loss", "val/accuracy", "val/auroc", "val/calibration_error"},
    "segmentation": {"val/loss", "val/accuracy", "val/calibration_error", "val/iou"}
    | {"val/iou/0", "val/iou/1", "val/iou/2"},
    "binary": {"val/loss", "val/accuracy", "val/calibration_error", "val/iou", "val/iou/0", "val/iou/1"},
}


@pytest.mark.parametrize("task", TASKS)
def test_fit_logs_the_promised_keys_and_moves_the_weights(task, make_module, make_loader, make_trainer):
    module, loader, trainer = make_module(task), make_loader(task), make_trainer()
    before = copy.deepcopy(module.state_dict())
    trainer.fit(module, loader, loader)
    assert set(trainer.callback_metrics) == KEYS[task] | {"train/loss", "train/loss_step", "train/accuracy"}
    assert module.headline in trainer.callback_metrics
    moved = [key for key, value in module.state_dict().items() if not torch.equal(value, before[key])]
    assert len(moved) > len(before) / 2


def test_soft_targets_train_a_classifier(make_module, make_loader, make_trainer):
    trainer = make_trainer()
    trainer.fit(make_module("single"), make_loader("soft"))
    assert trainer.callback_metrics["train/loss"].isfinite()


@pytest.mark.parametrize("task", ["single", "segmentation"])
def test_bf16_and_compile_and_averaging(task, make_module, make_loader, make_trainer):
    loader = make_loader(task)
    trainer = make_trainer(precision="bf16-mixed", callbacks=[EMAWeightAveraging(decay=0.9)])
    module = make_module(task)
    module.network = torch.compile(module.network, backend="eager")
    trainer.fit(module, loader, loader)
    assert trainer.callback_metrics[module.headline].isfinite()


@pytest.mark.slow
def test_a_compiled_module_trains(make_module, make_loader, make_trainer):
    trainer = make_trainer()
    trainer.fit(torch.compile(make_module("single"), backend="eager"), make_loader("single"), make_loader("single"))
    assert trainer.callback_metrics["val/accuracy"].isfinite()


def test_validation_scores_equal_a_loop(make_module, make_loader, make_trainer):
    module, loader = make_module("single"), make_loader("single", n=10)  # the last batch is smaller
    result = make_trainer().validate(module, loader, verbose=False)[0]
    module.eval()
    with torch.no_grad():
        logits = torch.cat([module(batch["image"]) for batch in loader])
    targets = torch.cat([batch["target"] for batch in loader])
    assert result["val/accuracy"] == pytest.approx((logits.argmax(1) == targets).float().mean().item())
    assert result["val/loss"] == pytest.approx(F.cross_entropy(logits, targets).item(), rel=1e-5)


def test_multilabel_accuracy_is_the_mean_over_labels(make_module, make_loader, make_trainer):
    module, loader = make_module("multilabel"), make_loader("multilabel", n=10)
    result = make_trainer().validate(module, loader, verbose=False)[0]
    module.eval()
    with torch.no_grad():
        right = torch.cat([(module(batch["image"]) > 0) == batch["target"].bool() for batch in loader])
    assert result["val/accuracy"] == pytest.approx(right.float().mean(0).mean().item())


def test_segmentation_iou_is_of_the_whole_split(make_module, make_loader, make_trainer):
    module, loader = make_module("segmentation"), make_loader("segmentation", n=10)
    result = make_trainer().validate(module, loader, verbose=False)[0]
    module.eval()
    with torch.no_grad():
        predictions = torch.cat([module(batch["image"]).argmax(1) for batch in loader])
    targets = torch.cat([batch["target"] for batch in loader])
    expected = []
    for label in range(3):
        true, predicted = targets == label, (predictions == label) & (targets != 255)
        expected.append(((true & predicted).sum() / (true | predicted).sum()).item())
        assert result[f"val/iou/{label}"] == pytest.approx(expected[-1])
    assert result["val/iou"] == pytest.approx(sum(expected) / 3)


@pytest.mark.parametrize("task", ["segmentation", "binary"])
def test_segmentation_calibration_is_of_the_valid_pixels(task, make_module, make_loader, make_trainer):
    module, loader = make_module(task), make_loader(task, n=10)
    result = make_trainer().validate(module, loader, verbose=False)[0]
    module.eval()
    with torch.no_grad():
        probabilities = torch.cat([module.probabilities(module(batch["image"])) for batch in loader]).movedim(1, -1)
    masks = torch.cat([batch["target"] for batch in loader]).view(probabilities.shape[:3])
    classes = probabilities.shape[-1]
    expected = MulticlassCalibrationError(classes, n_bins=15)(probabilities[masks != 255], masks[masks != 255])
    assert result["val/calibration_error"] == pytest.approx(expected.item(), abs=1e-5)  # theirs adds up in float32


@pytest.mark.parametrize("task", TASKS)
def test_logits_that_are_nan_show_in_the_validation(task, make_module, make_loader, make_trainer):
    module = make_module(task)
    next(module.network.parameters()).data.fill_(torch.nan)
    result = make_trainer().validate(module, make_loader(task), verbose=False)[0]
    assert math.isnan(result["val/loss"])
    assert math.isnan(result["val/calibration_error"])


def test_train_means_weigh_every_sample(make_module, make_loader, make_trainer):
    module, loader = make_module("single", optimizer=lambda p: torch.optim.SGD(p, lr=0.0)), make_loader("single", n=10)
    module.network[0].requires_grad_(False)
    trainer = make_trainer()
    trainer.fit(module, loader)
    losses, hits = [], 0
    module.train()
    for batch in loader:
        logits = module(batch["image"])
        losses += F.cross_entropy(logits, batch["target"], reduction="none").tolist()
        hits += (logits.argmax(1) == batch["target"]).sum().item()
    assert trainer.callback_metrics["train/loss"].item() == pytest.approx(sum(losses) / 10, rel=1e-5)
    assert trainer.callback_metrics["train/accuracy"].item() == pytest.approx(hits / 10)


def test_splits_are_logged_by_name(make_module, make_loader, make_trainer):
    module, loaders = make_module("single"), [make_loader("single"), make_loader("single", n=3)]
    trainer = make_trainer()
    results = trainer.test(module, loaders, verbose=False)
    assert {"test/0/accuracy", "test/1/accuracy"} <= results[0].keys()
    results = make_trainer().validate(module, loaders, verbose=False)
    assert {"val/accuracy", "val/1/accuracy"} <= results[0].keys()


def test_splits_of_a_data_module_give_the_names(make_module, make_loader, make_trainer):
    class Data(pl.LightningDataModule):
        test_names = ("iid", "shifted")

        def test_dataloader(self):
            return [make_loader("single"), make_loader("single")]

    results = make_trainer().test(make_module("single"), datamodule=Data(), verbose=False)
    assert {"test/iid/accuracy", "test/shifted/auroc"} <= results[0].keys()


@pytest.mark.parametrize("task", TASKS)
def test_predictions_are_probabilities(task, make_module, make_loader, make_trainer):
    batches = make_trainer().predict(make_module(task), make_loader(task, n=5))
    assert sum(map(len, batches)) == 5
    if task == "multilabel":
        assert all(((batch >= 0) & (batch <= 1)).all() for batch in batches)
    else:
        torch.testing.assert_close(batches[0].sum(1), torch.ones_like(batches[0][:, 0]))


@pytest.mark.parametrize("task", TASKS)
def test_checkpoints_load_with_weights_only(task, make_module, make_loader, make_trainer, tmp_path):
    saver = ModelCheckpoint(dirpath=tmp_path, save_last=True)
    loader, module = make_loader(task), make_module(task, mean=(0.5,) * 3, std=(0.2,) * 3)
    make_trainer(enable_checkpointing=True, callbacks=[saver]).fit(module, loader, loader)
    checkpoint = torch.load(tmp_path / "last.ckpt", weights_only=True)
    other = make_module(task, mean=(0.0,) * 3, std=(1.0,) * 3)
    other.load_state_dict(checkpoint["state_dict"])
    images = torch.rand(2, 3, 16, 16)
    assert torch.equal(other.eval()(images), module.eval()(images))


def test_means_of_an_interrupted_epoch_go_on(make_module, make_loader, make_trainer, tmp_path):
    class Killed(BaseException):
        pass

    class Kill(ModelCheckpoint):
        def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
            super().on_train_batch_end(trainer, module, outputs, batch, batch_idx)
            if batch_idx == 1:
                raise Killed

    loader, module = make_loader("single", n=16), make_module("single")
    whole = make_trainer()
    whole.fit(copy.deepcopy(module), loader)
    kill = Kill(dirpath=tmp_path, filename="killed", every_n_train_steps=2, save_top_k=-1)
    with pytest.raises(Killed):
        make_trainer(callbacks=[kill], enable_checkpointing=True).fit(copy.deepcopy(module), loader)
    for values in (loader.dataset.images, loader.dataset.targets):
        values.copy_(values.roll(-8, 0))  # a loader that goes on with batch 2, as robustlit's own do
    resumed = make_trainer()
    resumed.fit(module, loader, ckpt_path=tmp_path / "killed.ckpt", weights_only=True)
    assert module.train_loss.weight.item() == 16
    for key in ("train/loss", "train/accuracy"):
        assert torch.equal(resumed.callback_metrics[key], whole.callback_metrics[key])


@pytest.mark.parametrize("task", ["single", "segmentation"])
def test_copies_and_pickles_are_whole_and_their_own(task, make_module, make_loader, make_trainer):
    module, loader = make_module(task), make_loader(task)
    make_trainer().fit(module, loader, loader)
    images = torch.rand(2, 3, 16, 16)
    expected = module.eval()(images)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(other.eval()(images), expected)
        make_trainer().fit(other, loader)
        assert torch.equal(module.eval()(images), expected)


def test_tuple_batches_work(make_module, make_trainer):
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.rand(6, 3, 16, 16), torch.randint(3, (6,))), batch_size=3
    )
    trainer = make_trainer()
    trainer.fit(make_module("single"), loader, loader)
    assert trainer.callback_metrics["val/accuracy"].isfinite()
