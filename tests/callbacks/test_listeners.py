import pytest
import torch
from callbacks_helpers import Foreign, fit, images, weights
from pytorch_lightning import Callback
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from robustlit.augmentations import PatchGaussian
from robustlit.callbacks import Augmentation, ConfusionPanel, PredictionPanels, TrainingImages
from robustlit.core import Adapter


def board(folder):
    return TensorBoardLogger(folder, name="", version="")


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


class Normalised(Foreign):
    adapter = Adapter(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


def test_training_images_are_shown_in_pixels(tmp_path, drawn):
    fit(tmp_path, [TrainingImages()], module=Normalised(), logger=board(tmp_path), epochs=1)
    assert torch.allclose(drawn["images"][0], images().tensors[0][:4] * 0.25 + 0.5)


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
