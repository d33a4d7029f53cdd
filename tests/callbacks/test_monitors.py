import re
import time
from types import SimpleNamespace

import pytest
import torch
from callbacks_helpers import Foreign, board, fit, images, weights
from pytorch_lightning import Callback
from pytorch_lightning.callbacks import EMAWeightAveraging
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2
from torch.utils.data import DataLoader

from robustlit.callbacks import LastCheckpoint, PredictionPanels, ScalarLayout, Stopwatch, Throughput
from robustlit.callbacks.scalar_layout import LAYOUT
from robustlit.core import Adapter


def events(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0, "tensors": 0})
    accumulator.Reload()
    return accumulator


def test_monitoring_callbacks_do_not_change_the_weights(tmp_path):
    watching = [PredictionPanels(), Throughput(), ScalarLayout()]
    _, plain = fit(tmp_path / "a", [], logger=board(tmp_path / "a"))
    _, watched = fit(tmp_path / "b", watching, logger=board(tmp_path / "b"))
    assert torch.equal(weights(plain), weights(watched))


def test_one_picture_an_epoch_and_none_in_the_sanity_check(tmp_path):
    fit(tmp_path, [PredictionPanels(count=6)], logger=board(tmp_path), epochs=3)
    found = events(tmp_path)
    pictures = found.Images("val/predictions")
    assert [picture.step for picture in pictures] == [2, 5, 8]
    assert [scalar.step for scalar in found.Scalars("val/loss")] == [2, 5, 8]
    assert pictures[0].width > 500
    assert len(found.Scalars("cost/prediction_panels_seconds")) == 3


def test_every_n_epochs(tmp_path):
    fit(tmp_path, [PredictionPanels(every_n_epochs=2)], logger=board(tmp_path), epochs=4)
    assert [picture.step for picture in events(tmp_path).Images("val/predictions")] == [5, 11]


def test_a_resume_hides_no_picture(tmp_path):
    # as the command line resumes: TensorBoard drops what lies behind the checkpoint, of three steps
    fit(tmp_path, [PredictionPanels(), LastCheckpoint()], logger=board(tmp_path), epochs=1)
    resumed = TensorBoardLogger(tmp_path, name="", version="", purge_step=3)
    last = tmp_path / "checkpoints/last.ckpt"
    fit(tmp_path, [PredictionPanels(), LastCheckpoint()], logger=resumed, epochs=2, ckpt_path=last)
    assert [picture.step for picture in events(tmp_path).Images("val/predictions")] == [2, 5]


class Recording(PredictionPanels):
    def _draw(self, trainer, pl_module):
        self.seen = [*getattr(self, "seen", []), torch.cat(self._images)]
        self.weights = weights(pl_module)
        return super()._draw(trainer, pl_module)


def test_the_images_are_the_first_of_the_loader_and_stay(tmp_path):
    callback = Recording(count=6)
    fit(tmp_path, [callback], logger=board(tmp_path))
    assert len(callback.seen) == 2
    for seen in callback.seen:
        assert torch.equal(seen, images().tensors[0][:6])  # from two batches of four


def test_a_validation_set_smaller_than_the_picture(tmp_path):
    callback = Recording(count=32)
    fit(tmp_path, [callback], logger=board(tmp_path), epochs=1)
    assert len(callback.seen[0]) == 12


def test_the_averaged_model_is_shown_whatever_the_order_of_the_callbacks(tmp_path):
    for callbacks in ([Recording(), EMAWeightAveraging(decay=0.9)], [EMAWeightAveraging(decay=0.9), Recording()]):
        panels = next(callback for callback in callbacks if isinstance(callback, Recording))
        _, module = fit(tmp_path, callbacks, logger=board(tmp_path), epochs=1)
        assert torch.equal(panels.weights, weights(module))  # EMA leaves its average in the module


def test_no_logger_is_one_warning(tmp_path):
    with pytest.warns(UserWarning, match="the Trainer has no TensorBoardLogger"):
        fit(tmp_path, [PredictionPanels()], epochs=1)


class Masks(Foreign):
    """Multi-label or masks, in dicts; the batch is normalised and the adapter says so."""

    adapter = Adapter(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), ignore_index=2)
    class_names = ("road", "car", "void")

    def __init__(self, head):
        super().__init__()
        self.net = head

    def training_step(self, batch, batch_idx):
        return self.adapter.per_sample_loss(self(batch["image"]), batch["target"]).mean()

    def validation_step(self, batch, batch_idx):
        self.training_step(batch, batch_idx)


@pytest.mark.parametrize("kind", ["multilabel", "segmentation", "binary"])
def test_other_tasks(tmp_path, kind):
    pixels = images().tensors[0]
    width = 1 if kind == "binary" else 3
    targets = torch.randint(2, (12, 3)).float() if kind == "multilabel" else torch.randint(2, (12, 8, 8))
    targets = targets[:, None].float() if kind == "binary" else targets
    head = torch.nn.Conv2d(3, width, 1)
    if kind == "multilabel":
        head = torch.nn.Sequential(head, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    samples = [{"image": (image - 0.5) / 0.25, "target": target} for image, target in zip(pixels, targets, strict=True)]
    callback = Recording(count=4)
    data = DataLoader(samples, batch_size=4)
    fit(tmp_path, [callback], module=Masks(head), data=data, validation=data, logger=board(tmp_path), epochs=1)
    assert torch.allclose(callback.seen[0], pixels[:4], atol=1e-6)
    assert len(events(tmp_path).Images("val/predictions")) == 1


def test_arguments_out_of_range():
    with pytest.raises(ValueError, match="expected count from 1 to 32, got 0"):
        PredictionPanels(count=0)
    with pytest.raises(ValueError, match="expected every_n_epochs >= 1, got 0"):
        PredictionPanels(every_n_epochs=0)


class Sleep(Callback):
    def on_validation_epoch_start(self, *_):
        time.sleep(0.2)

    def on_train_batch_start(self, *_):
        time.sleep(0.05)


def test_throughput_counts_training_only(tmp_path):
    trainer, _ = fit(tmp_path, [Sleep(), Throughput()], epochs=2, num_sanity_val_steps=0)
    epoch = float(trainer.callback_metrics["cost/epoch_seconds"])
    speed = float(trainer.callback_metrics["cost/images_per_second"])
    assert epoch >= 0.35
    assert 12 / (epoch - 0.15) < speed <= 12 / 0.15  # the 0.2 s of validation are not in it


class Nested(Foreign):
    """A batch that the automatic adapter cannot read."""

    def training_step(self, batch, batch_idx):
        return super().training_step(batch[0], batch_idx)

    def validation_step(self, batch, batch_idx):
        return super().validation_step(batch[0], batch_idx)


def test_throughput_warns_once_of_a_batch_it_cannot_read(tmp_path):
    data = DataLoader([(sample,) for sample in images()], batch_size=4)
    with pytest.warns(UserWarning, match="Throughput logs no cost/images_per_second: expected a batch") as caught:
        trainer, _ = fit(tmp_path, [Throughput()], module=Nested(), data=data, validation=data)
    assert sum("Throughput" in str(warning.message) for warning in caught) == 1
    assert trainer.callback_metrics["cost/epoch_seconds"] > 0
    assert "cost/images_per_second" not in trainer.callback_metrics


def test_stopwatch_adds_up_blocks_and_starts_again(monkeypatch):
    now = [100.0]  # a sleep is as long as the machine makes it, so the clock is one that is set by hand
    monkeypatch.setattr("robustlit.callbacks.stopwatch.time", SimpleNamespace(perf_counter=lambda: now[0]))
    watch = Stopwatch()
    for seconds in (0.25, 0.5):
        with watch.running(torch.device("cpu")):
            now[0] += seconds
        now[0] += 2
    assert watch.read() == 0.75
    assert watch.read() == 0


def test_layout_is_on_the_custom_scalars_page_once(tmp_path):
    fit(tmp_path, [ScalarLayout()], logger=board(tmp_path), epochs=2)
    (event,) = events(tmp_path).Tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])
    assert [category.title for category in layout.category] == list(LAYOUT)


@pytest.mark.parametrize(
    ("chart", "keys", "others"),
    [
        ("loss", ["train/loss", "train/loss_epoch", "val/loss"], ["train/loss_step"]),
        ("clean and robust", ["val/accuracy", "robust/corruption/mean", "robust/adversarial/pgd"], ["val/iou/car"]),
        ("catastrophic overfitting", ["alarm/pgd_left_of_fgsm", "alarm/pgd_left_of_best"], ["alarm/train_val_gap"]),
        ("which fire (1)", ["alarm/gradient_masking_fired"], ["alarm/zero_gradients"]),
        ("each corruption", ["robust/corruption/fog"], ["robust/corruption/mean", "robust/corruption/extra_mean"]),
        (
            "drift: clean against corrupted maps (1 is the same look)",
            ["explain/drift_cosine", "explain/drift_cosine/fog"],
            ["explain/drift_rank/fog", "test/explain/drift_cosine"],
        ),
        ("share on the object", ["explain/inside_mask/grad_cam"], ["explain/concentration/grad_cam"]),
        ("insertion (high is good) and deletion (low)", ["explain/insertion", "explain/deletion"], ["explain/probe"]),
        ("share of the run's time", ["cost/explanations_share"], ["cost/explanations_seconds"]),
        ("seconds of each callback", ["cost/prediction_panels_seconds"], ["cost/images_per_second"]),
    ],
)
def test_charts_select_the_keys_they_are_for(chart, keys, others):
    patterns = next(charts[chart][1] for charts in LAYOUT.values() if chart in charts)
    selected = [key for key in keys + others if any(re.search(pattern, key) for pattern in patterns)]
    assert selected == keys
