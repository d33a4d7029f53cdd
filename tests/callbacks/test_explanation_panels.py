"""What ExplanationPanels shows and logs, against the same thing done by hand."""

import dataclasses
import io

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from callbacks_helpers import Foreign, board, fit, images
from explanation_helpers import FEW, Delicate, data, delicate, events, trained
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from robustlit.callbacks import ExplanationPanels, LastCheckpoint
from robustlit.core import Adapter
from robustlit.core.random import sample_seeds
from robustlit.corruptions import corrupt
from robustlit.explanations import GradCAM, cosine, explain, insertion_deletion, mask_energy

SMALL = np.zeros((4, 4, 3), dtype=np.uint8)


def panels(**options):
    return ExplanationPanels(**{**FEW, **options})


@pytest.fixture
def drawn(monkeypatch):
    """What is handed to the pictures of failures, flips and the probe."""
    seen = {}

    def kept(name, place):
        def draw(*arguments, **options):
            seen.setdefault(name, []).append(arguments[place])
            return SMALL

        monkeypatch.setattr(f"robustlit.callbacks.explanation_panels.{name}", draw)

    kept("failure_panel", 1)
    kept("pairs_panel", 0)
    kept("explained_panel", 1)
    return seen


def test_every_panel_is_a_jpeg_in_tensorboard_and_a_png_in_the_run(tmp_path):
    trained(tmp_path, [panels()])
    found = events(tmp_path)
    tags = set(found.Tags()["images"])
    names = {
        "explain/probe", "explain/failures", "explain/flips", "explain/corruptions/fog", "filters/first_layer",
        "features/net.0", "features/net.5", "history/0_class 0", "history/1_class 1", "history/2_class 2",
    }  # fmt: skip
    assert tags - {"explain/flips"} == names - {"explain/flips"}  # whether an image flips is the model's affair
    for tag in tags:
        pictures = found.Images(tag)
        assert {picture.step for picture in pictures} <= {2, 5}
        assert Image.open(io.BytesIO(pictures[-1].encoded_image_string)).format == "JPEG"
        file = tmp_path / "explanations" / f"{tag.removeprefix('explain/').replace(' ', '_')}.png"
        assert Image.open(file).size == (pictures[-1].width, pictures[-1].height)


def test_the_probe_is_balanced_and_the_same_in_every_epoch_and_run(tmp_path, drawn):
    probes = []
    for place, order in enumerate((list(range(12)), list(range(12))[::-1])):
        folder, samples = tmp_path / str(place), images(12, 16)
        dicts = [{"image": samples[i][0], "target": samples[i][1], "index": i} for i in order]
        module = InDicts(nn.Conv2d(3, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        validation = DataLoader(dicts, batch_size=4 + place)
        fit(folder, [panels(count=6)], module=module, data=validation, validation=validation, logger=board(folder))
        probes.append(torch.load(folder / "explanations/probe.pt"))
    assert all(torch.equal(probes[0][name], probes[1][name]) for name in ("images", "targets", "ids"))
    assert probes[0]["targets"].bincount().tolist() == [2, 2, 2]
    shown = [chunk.ids.tolist() for chunk in drawn["explained_panel"]]
    assert shown == [probes[0]["ids"].tolist()] * 4  # two runs of two epochs


def test_failures_are_the_most_confident_mistakes_of_the_whole_pass(tmp_path, drawn):
    _, module = trained(tmp_path, [panels()], epochs=1)
    pixels, targets = images(12, 16).tensors
    with torch.no_grad():
        confidence, said = module.eval()(pixels).softmax(1).max(1)
    wrong = torch.where(said == targets, 0, confidence)
    expected = wrong.argsort(descending=True)[:3]
    (chunk,) = drawn["failure_panel"]
    assert (wrong[expected] > 0).all()
    assert torch.equal(chunk.images, pixels[expected])
    assert torch.equal(chunk.targets, targets[expected])


class Fragile(Foreign):
    """Says class 1 of dark images and class 0 of bright ones, and never learns."""

    def __init__(self):
        super().__init__()
        self.net = nn.Conv2d(3, 1, 1)
        with torch.no_grad():
            self.net.weight.fill_(1 / 3)
            self.net.bias.fill_(-0.55)

    def forward(self, x):
        bright = 40 * self.net(x).mean((1, 2, 3))
        return torch.stack((bright, -bright), dim=1)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.0)


def test_flips_are_right_when_clean_and_wrong_when_corrupted(tmp_path, drawn):
    torch.manual_seed(0)
    pixels = torch.rand(24, 3, 16, 16) * torch.linspace(0.2, 1, 24)[:, None, None, None]
    targets = (pixels.mean((1, 2, 3)) < 0.45).long()
    samples = DataLoader(torch.utils.data.TensorDataset(pixels, targets), batch_size=8)
    options = {"panels": ("flips",), "images": None, "corruptions": ("brightness", "fog"), "severity": 5, "count": 4}
    module = Fragile()
    fit(tmp_path, [panels(**options)], module=module, data=samples, validation=samples, epochs=1)
    module.eval()
    flipped = torch.zeros(24, dtype=torch.bool)
    with torch.no_grad():
        right = module(pixels).argmax(1) == targets
        for name in ("brightness", "fog"):
            changed = corrupt(pixels, name, 5, seed=sample_seeds(0, torch.arange(24)))
            flipped |= right & (module(changed).argmax(1) != targets)
    assert flipped.sum() > 4
    (pair,) = drawn["pairs_panel"]
    assert len(set(pair.chunk.ids.tolist())) == 4  # every image once, though several flip under both
    assert flipped[pair.chunk.ids].all()
    assert torch.equal(pair.chunk.images, pixels[pair.chunk.ids])
    name, severity = pair.heads[0].split()
    again = corrupt(pair.chunk.images[:1], name, int(severity), seed=sample_seeds(0, pair.chunk.ids[:1]))
    assert torch.equal(pair.changed[:1], again)


def test_figures_are_those_of_explain_by_hand(tmp_path):
    trainer, module = trained(tmp_path, [panels(panels=("probe", "corruptions"))], epochs=1)
    probe = torch.load(tmp_path / "explanations/probe.pt")
    found = explain(module, probe["images"])
    curves = insertion_deletion(module, probe["images"], found["grad_cam"], found.goal, steps=2)
    changed = corrupt(probe["images"], "fog", 3, seed=sample_seeds(0, probe["ids"]))
    after = explain(module, changed, found.goal, "grad_cam")["grad_cam"]
    figures = trainer.callback_metrics
    assert figures["explain/insertion"] == pytest.approx(float(curves.insertion_area.mean()), abs=1e-6)
    assert figures["explain/deletion"] == pytest.approx(float(curves.deletion_area.mean()), abs=1e-6)
    drift = float(cosine(found["grad_cam"], after).nanmean())
    assert figures["explain/drift_cosine/fog"] == figures["explain/drift_cosine"] == pytest.approx(drift, abs=1e-5)
    assert {"explain/drift_rank", "explain/drift_overlap", "explain/concentration/saliency"} <= set(figures)
    assert 0 < figures["cost/explanations_share"] < 1


class InDicts(Foreign):
    """Batches are dicts, as those of robustlit's data modules."""

    adapter = Adapter()

    def __init__(self, *layers):
        super().__init__()
        self.net = nn.Sequential(*layers)

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self(batch["image"]), batch["target"], ignore_index=255)

    def validation_step(self, batch, batch_idx):
        self(batch["image"])


def test_masks_in_the_batch_give_the_share_on_the_object(tmp_path):
    pixels, targets = images(12, 16).tensors
    masks = torch.rand(12, 16, 16) > 0.5
    samples = [
        {"image": image, "target": target, "mask": mask, "index": place}
        for place, (image, target, mask) in enumerate(zip(pixels, targets, masks, strict=True))
    ]
    loader = DataLoader(samples, batch_size=4)
    torch.manual_seed(0)
    module = InDicts(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    trainer, module = fit(tmp_path, [panels()], module=module, data=loader, validation=loader, logger=board(tmp_path))
    probe = torch.load(tmp_path / "explanations/probe.pt")
    expected = mask_energy(explain(module, probe["images"], methods="saliency")["saliency"], masks[probe["ids"]])
    figure = trainer.callback_metrics["explain/inside_mask/saliency"]
    assert figure == pytest.approx(float(expected.mean()), abs=1e-6)


@pytest.mark.parametrize("binary", [False, True])
def test_segmentation(tmp_path, binary):
    pixels = images(8, 16).tensors[0]
    targets = torch.zeros(8, 16, 16, dtype=torch.long)
    targets[:, 4:10, 4:12] = 1
    if not binary:
        targets[:, :3] = 255  # ignored
    classes = 1 if binary else 3
    module = InDicts(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, classes, 1))
    module.adapter = Adapter(ignore_index=None if binary else 255)
    if binary:
        targets = targets[:, None].float()
        module.training_step = lambda batch, batch_idx: F.binary_cross_entropy_with_logits(
            module(batch["image"]), batch["target"]
        )
    samples = [{"image": image, "target": target} for image, target in zip(pixels, targets, strict=True)]
    loader = DataLoader(samples, batch_size=4)
    trainer, _ = fit(tmp_path, [panels()], module=module, data=loader, validation=loader, logger=board(tmp_path))
    tags = set(events(tmp_path).Tags()["images"])
    assert {"explain/probe", "explain/failures", "explain/corruptions/fog", "history/0", "features/net.0"} <= tags
    assert 0 <= trainer.callback_metrics["explain/inside_mask/grad_cam"] <= 1
    assert Image.open(tmp_path / "explanations/probe.png").width > 6 * 128  # image, truth, prediction, error, two maps


@pytest.mark.parametrize(("first", "explained"), [("background", [1, 0]), ("sky", [0, 0])])
def test_panels_of_masks_explain_an_object_rather_than_the_background(first, explained):
    from robustlit.callbacks.explanation_scene import Scene

    torch.manual_seed(0)
    network = nn.Conv2d(3, 2, 3, padding=1)
    with torch.no_grad():
        network.weight.zero_()
        network.weight[1, :, 1, 1] = 1  # class 1 where it is bright
        network.bias.copy_(torch.tensor([1.5, 0.0]))
    pixels = torch.zeros(2, 3, 8, 8)
    pixels[0, :, 2:4, 2:4] = 1
    scene = Scene(network, Adapter(), (GradCAM(),), "", (first, "car"), "")
    module = nn.Sequential(network)
    found = dataclasses.replace(scene, module=module, layer="0").explain(pixels)
    assert found.target.tolist() == explained


def test_every_n_epochs_and_every_n_steps(tmp_path):
    trained(tmp_path, [panels(every_n_epochs=2, every_n_steps=2, panels=("probe", "failures"))], epochs=4)
    found = events(tmp_path)
    assert [picture.step for picture in found.Images("explain/failures")] == [5, 11]
    # steps are counted from zero; between the validations once one of them has chosen the probe
    assert [picture.step for picture in found.Images("explain/probe")] == [5, 7, 9, 11, 11]


def test_a_share_of_the_time_leaves_epochs_out_but_never_the_first(tmp_path):
    trainer, _ = trained(tmp_path, [panels(max_share=1e-9, panels=("probe",))], epochs=4)
    assert [picture.step for picture in events(tmp_path).Images("explain/probe")] == [2]
    assert trainer.callback_metrics["cost/explanations_share"] > 0


def test_a_resumed_run_goes_on_with_its_filmstrips(tmp_path):
    trained(tmp_path, [panels(panels=("history",)), LastCheckpoint()], epochs=2)
    with np.load(tmp_path / "explanations/history.npz") as saved:
        first = saved["pictures"]
        assert saved["epochs"].tolist() == [0, 1]
    last = tmp_path / "checkpoints/last.ckpt"
    trained(tmp_path, [panels(panels=("history",)), LastCheckpoint()], epochs=3, ckpt_path=last)
    with np.load(tmp_path / "explanations/history.npz") as saved:
        assert saved["epochs"].tolist() == [0, 1, 2]
        assert np.array_equal(saved["pictures"][:, :2], first)


def test_two_methods_of_layers_at_two_layers(tmp_path):
    methods, layers = ("smooth_grad", "layer_cam", "grad_cam"), ("net.0", "net.5")
    trainer, _ = trained(tmp_path, [panels(methods=methods, layer=layers)], epochs=1)
    assert "explain/concentration/layer_cam@net.0" in trainer.callback_metrics
    assert "explain/insertion" in trainer.callback_metrics


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": "grad_camm"}, "grad_cam"),
        ({"panels": ("probes",)}, "probe"),
        ({"corruptions": ("fogg",)}, "fog"),
        ({"count": 0}, "expected from 1 to 64 probe images, got 0; try count=8"),
        ({"insertion_steps": -1}, "expected insertion_steps of at least 0, got -1"),
        ({"every_n_steps": 0}, "expected every_n_steps of at least 1, got 0"),
        ({"max_share": 2}, r"expected max_share in \(0, 1\], got 2"),
    ],
)
def test_arguments_that_do_not_exist_or_are_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        ExplanationPanels(**options)


def test_an_unknown_layer_stops_before_training_with_the_nearest_name(tmp_path):
    with pytest.raises(ValueError, match=r"got 'net\.9'; try 'net\.8'") as caught:
        trained(tmp_path, [panels(layer="net.9")])
    assert "\n" not in str(caught.value)


class Broken(Delicate):
    """Turns its weights into NaN before the first validation."""

    def on_validation_start(self):
        with torch.no_grad():
            self.net[4].weight.fill_(float("nan"))


class NoTensor(Delicate):
    """Answers with something that has no logits."""

    def forward(self, x):
        return {"answer": "yes", "score": self.net(x)}

    def training_step(self, batch, batch_idx):
        return {"loss": F.cross_entropy(self(batch[0])["score"], batch[1])}

    def validation_step(self, batch, batch_idx):
        self(batch[0])


class NoPicture(Delicate):
    """Takes an image to a vector at once: no layer has a spatial map."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 3))


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (Delicate, {"target": 7}, "expected a target from 0 to 2, got 7"),
        (Broken, {}, "expected finite maps, got NaN"),
        (NoTensor, {}, "logits"),
        (NoPicture, {}, "expected a layer with a spatial map"),
        (Delicate, {"layer": "net.8"}, "expected a layer with a spatial map"),
    ],
)
def test_what_goes_wrong_is_one_line_and_training_goes_on(tmp_path, kind, options, message):
    callback = panels(panels=("probe",), **options)
    with pytest.warns(UserWarning, match=f"ExplanationPanels: .*{message}") as caught:
        trainer, _ = trained(tmp_path, [callback], module=delicate(kind))
    assert trainer.global_step == 6
    lines = [str(each.message) for each in caught if "ExplanationPanels" in str(each.message)]
    assert len(lines) == len(set(lines)) == 1
    assert all("\n" not in line for line in lines)


def test_no_validation_images_are_one_line(tmp_path):
    trainer = pl.Trainer(
        default_root_dir=tmp_path, callbacks=[panels()], max_epochs=1, accelerator="cpu", logger=False,
        enable_progress_bar=False, enable_checkpointing=False, enable_model_summary=False,
    )  # fmt: skip
    with pytest.warns(UserWarning, match="expected a validation loader, whose images are explained, got none"):
        trainer.fit(delicate(), data())
    assert trainer.global_step == 3


def test_images_that_are_not_in_pixels_are_one_line(tmp_path):
    samples = images(12, 16)
    bad = DataLoader([(image * 4 - 2, target) for image, target in samples], batch_size=4)
    with pytest.warns(UserWarning, match=r"ExplanationPanels: expected .*\[0, 1\]"):
        trainer, _ = fit(tmp_path, [panels()], module=delicate(), data=data(), validation=bad)
    assert trainer.global_step == 6
