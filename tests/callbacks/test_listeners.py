import subprocess
import sys
from pathlib import Path

import pytest
import torch
from callbacks_helpers import Foreign, board, fit, images, weights
from pytorch_lightning import Callback
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader

from robustlit.augmentations import PatchGaussian
from robustlit.callbacks import Augmentation, ConfusionPanel, PredictionPanels, Throughput, TrainingImages
from robustlit.core import Adapter


def tags(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"images": 0})
    accumulator.Reload()
    return {tag: [picture.step for picture in accumulator.Images(tag)] for tag in accumulator.Tags()["images"]}


@pytest.fixture
def drawn(monkeypatch):
    """What the callbacks hand to the panels."""
    seen = {"counts": [], "images": []}

    def confusion(counts, names, title):
        seen["counts"].append(counts)
        return torch.zeros(4, 4, 3, dtype=torch.uint8).numpy()

    def pictures(shown):
        seen["images"].append(shown)
        return list(torch.zeros(len(shown), 4, 4, 3, dtype=torch.uint8).numpy())

    monkeypatch.setattr("robustlit.callbacks.confusion.confusion_panel", confusion)
    monkeypatch.setattr("robustlit.callbacks.training_images.to_pictures", pictures)
    return seen


def test_listening_leaves_weights_and_hooks_as_they_are(tmp_path):
    _, plain = fit(tmp_path / "a", [], logger=board(tmp_path / "a"))
    _, watched = fit(tmp_path / "b", [TrainingImages(), ConfusionPanel()], logger=board(tmp_path / "b"))
    assert torch.equal(weights(plain), weights(watched))
    assert not watched._forward_hooks
    assert not watched._forward_pre_hooks
    assert tags(tmp_path / "b") == {"train/images": [0], "val/confusion": [2, 5]}


def test_confusion_counts_what_the_model_predicts_on_every_image(tmp_path, drawn):
    # a second callback that looks at the model in the same hooks must not be mistaken for the validation step
    _, module = fit(tmp_path, [PredictionPanels(), ConfusionPanel()], logger=board(tmp_path), epochs=1)
    pixels, targets = images().tensors
    expected = torch.zeros(3, 3, dtype=torch.long)
    for true, guess in zip(targets, module.eval()(pixels).argmax(1), strict=True):
        expected[true, guess] += 1
    assert torch.equal(drawn["counts"][0], expected)
    assert len(drawn["counts"]) == 1


def test_training_images_are_what_the_network_is_fed(tmp_path, drawn):
    fit(tmp_path / "a", [TrainingImages(count=3)], logger=board(tmp_path / "a"))
    operation = PatchGaussian(patch_size=4, max_sigma=1.0)
    fit(tmp_path / "b", [TrainingImages(), Augmentation(operation)], logger=board(tmp_path / "b"))
    plain, augmented = drawn["images"]
    assert torch.equal(plain, images().tensors[0][:3])
    assert augmented.shape == (4, 3, 8, 8)
    assert not torch.equal(augmented[:3], plain)


def test_two_processes_add_up_though_one_has_nothing_to_validate(tmp_path):
    script = Path(__file__).with_name("ddp_monitors.py")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert torch.load(tmp_path / "counts.pt").sum() == 12
    assert "self.log('val/loss'" in done.stderr  # Lightning gives its advice for the module's own keys …
    assert "self.log('cost/" not in done.stderr  # … but not for ours


class Normalised(Foreign):
    adapter = Adapter(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


@pytest.mark.parametrize("who", ["module", "callback"])
def test_training_images_are_shown_in_pixels(tmp_path, drawn, who):
    module, adapter = (Normalised(), None) if who == "module" else (Foreign(), Normalised.adapter)
    fit(tmp_path, [TrainingImages(adapter=adapter)], module=module, logger=board(tmp_path), epochs=1)
    assert torch.allclose(drawn["images"][0], images().tensors[0][:4] * 0.25 + 0.5)


class Unusual(Foreign):
    """A batch that no default understands: (extras, (images, targets)); an output likewise."""

    def forward(self, x):
        return [self.net(x)]

    def training_step(self, batch, batch_idx):
        return torch.nn.functional.cross_entropy(self(batch[1][0])[0], batch[1][1])

    def validation_step(self, batch, batch_idx):
        self.training_step(batch, batch_idx)


UNUSUAL = Adapter(image=lambda batch: batch[1][0], target=lambda batch: batch[1][1], logits=lambda output: output[0])


def test_an_adapter_given_to_the_callback_reads_an_unusual_batch(tmp_path, drawn):
    data = DataLoader([("extra", sample) for sample in images()], batch_size=4)
    callbacks = [PredictionPanels(adapter=UNUSUAL), ConfusionPanel(adapter=UNUSUAL), Throughput(adapter=UNUSUAL)]
    trainer, _ = fit(
        tmp_path, callbacks, module=Unusual(), data=data, validation=data, logger=board(tmp_path), epochs=1
    )
    assert drawn["counts"][0].sum() == 12
    assert tags(tmp_path) == {"val/predictions": [2], "val/confusion": [2]}
    assert trainer.callback_metrics["cost/images_per_second"] > 0


class BrokenTraining(Callback):
    def on_before_backward(self, trainer, pl_module, loss):
        raise RuntimeError("broken")


class BrokenValidation(Callback):
    def on_validation_batch_end(self, trainer, pl_module, *_):
        if not trainer.sanity_checking:
            raise RuntimeError("broken")


@pytest.mark.parametrize(("listener", "fault"), [(TrainingImages, BrokenTraining), (ConfusionPanel, BrokenValidation)])
def test_nothing_is_left_after_an_exception(tmp_path, listener, fault):
    module = Foreign()
    with pytest.raises(RuntimeError, match="broken"):
        fit(tmp_path, [listener(), fault()], module=module, logger=board(tmp_path))
    assert not module._forward_hooks
    assert not module._forward_pre_hooks
