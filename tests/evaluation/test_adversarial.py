"""The adversarial test: a ladder, further attacks, and the worst of them for every image."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from robustlit.attacks import APGD, PGD, CosPGD, SegPGD
from robustlit.core.random import sample_seeds
from robustlit.data import ShapesDataModule
from robustlit.evaluation import AdversarialTest
from robustlit.evaluation.attacked import adversarial_pass
from robustlit.modules import SegmentationModule
from tests.evaluation.adversarial_sets import arrays, trained
from tests.tiny import trainer

EPS = (0.01, 0.02)


@pytest.fixture(scope="module")
def module():
    return trained(4)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return arrays(tmp_path_factory.mktemp("arrays") / "set.npz", 4)


def batch(data):
    samples = [data.test_sets["test"][place] for place in range(len(data.test_sets["test"]))]
    images = torch.stack([torch.as_tensor(sample["image"]).permute(2, 0, 1).float() / 255 for sample in samples])
    return images, torch.tensor([int(sample["target"]) for sample in samples])


def survivors(module, attack, images, targets):
    changed = attack(module, images, targets, seed=sample_seeds(0, torch.arange(len(images))))
    with torch.no_grad():
        return module(changed).argmax(1) == targets


def test_every_row_is_that_of_a_loop_by_hand_and_the_worst_is_the_worst_of_every_image(module, data):
    test = AdversarialTest(eps=EPS, steps=5, attacks=[APGD(eps=0.02, steps=5), PGD(eps=0.5, norm="l2", steps=3)])
    rows = {row.metric: row for row in test.run(module, data, trainer([]))}
    assert [f"adversarial/{metric}" for metric in rows] == test.expects(data)
    images, targets = batch(data)
    left = {
        "pgd_linf_0.01": survivors(module, PGD(eps=0.01, steps=5, best=True), images, targets),
        "pgd_linf_0.02": survivors(module, PGD(eps=0.02, steps=5, best=True), images, targets),
        "apgd_linf_0.02": survivors(module, APGD(eps=0.02, steps=5), images, targets),
        "pgd_l2_0.5": survivors(module, PGD(eps=0.5, norm="l2", steps=3), images, targets),
    }
    for metric, right in left.items():
        assert rows[metric].value == pytest.approx(float(right.float().mean()))
    worst = left["pgd_linf_0.02"] & left["apgd_linf_0.02"]
    assert rows["worst_linf_0.02"].value == pytest.approx(float(worst.float().mean()))
    assert rows["clean"].value > rows["pgd_linf_0.01"].value > rows["pgd_linf_0.02"].value


def test_a_figure_never_stands_alone(module, data):
    rows = AdversarialTest(eps=(0.02,), steps=2, images=20).run(module, data, trainer([]))
    assert len(rows) == 5
    for row in rows:
        assert row.low <= row.value <= row.high
        assert row.n == 20
        assert {"attack", "precision", "evaluation_seed", "version", "score"} <= set(row.conditions)
        if row.metric != "clean":
            assert {"norm", "eps", "steps", "restarts", "loss"} <= set(row.conditions)
    assert rows[-1].conditions["steps"] == "2, 100, 100"


def test_the_picture_is_of_images_of_all_batches_under_the_strongest_attack(module, data, monkeypatch):
    seen = []
    monkeypatch.setattr(adversarial_pass, "picture_record", lambda *drawn: seen.append(drawn) or {"image": None})
    test = AdversarialTest(eps=EPS, steps=2, attacks=[])
    test.run(module, data, trainer([]))
    ((_, (clean, attacked), logits, targets, *_),) = seen
    images, truth = batch(data)
    places = [(images == image).flatten(1).all(1).nonzero().item() for image in clean]
    assert sorted(places) == list(range(32))  # the loader's batches have 8
    assert torch.equal(targets, truth[places])
    assert (attacked - clean).abs().amax() == pytest.approx(EPS[-1], abs=1e-6)
    with torch.no_grad():
        torch.testing.assert_close(logits, (module(clean), module(attacked)))
    assert [record.kind for record in test.records].count("picture") == 1


class Pixels(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 32, 7, padding=3), nn.ReLU(), nn.Conv2d(32, classes, 3, padding=1))

    def forward(self, x):
        return self.net(x)


def test_the_worst_case_of_masks_is_never_above_any_attack(tmp_path):
    sizes = {"train_size": 8, "val_size": 8, "test_size": 8, "image_size": 32}
    data = ShapesDataModule(task="segmentation", cache_dir=tmp_path, batch_size=4, num_workers=0, **sizes)
    data.prepare_data()
    data.setup("fit")
    data.test_sets = dict(list(data.test_sets.items())[:1])
    torch.manual_seed(0)
    settings = {"num_classes": data.num_classes, "mean": [0.46] * 3, "std": [0.15] * 3}
    module = SegmentationModule(Pixels(data.num_classes), ignore_index=data.ignore_index, **settings)
    samples = [data.test_sets["iid"][place] for place in range(8)]
    images = torch.stack([torch.as_tensor(sample["image"]).permute(2, 0, 1).float() / 255 for sample in samples])
    masks = torch.stack([torch.as_tensor(sample["target"]) for sample in samples])
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(images), masks.long()).backward()
        optimizer.step()
    test = AdversarialTest(
        eps=(2 / 255,), steps=4, attacks={"cos_pgd": CosPGD(eps=2 / 255, steps=4), "apgd": APGD(eps=2 / 255, steps=4)}
    )
    rows = {row.metric: row for row in test.run(module, data, trainer([]))}
    each = [row.value for metric, row in rows.items() if metric.endswith("_linf_2of255") and "worst" not in metric]
    assert len(each) == 3
    assert rows["worst_linf_2of255"].value < min(each) < rows["clean"].value
    assert rows["worst_linf_2of255"].low <= rows["worst_linf_2of255"].value <= rows["worst_linf_2of255"].high
    assert isinstance(test._cells("segmentation")["seg_pgd", 2 / 255], SegPGD)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"eps": (8,)}, "8/255"),
        ({"eps": ()}, "some eps"),
        ({"steps": 0}, "steps"),
        ({"norm": "l3"}, "norm"),
        ({"images": 0}, "at least one image"),
        ({"precision": "16"}, "precision"),
    ],
)
def test_bad_settings_are_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        AdversarialTest(**settings)


def test_a_name_twice_is_refused_before_anything_runs(data):
    with pytest.raises(ValueError, match="other names"):
        AdversarialTest(eps=(0.02,), attacks=[PGD(eps=0.02, steps=5)]).expects(data)


def test_two_processes_give_the_figures_of_one(tmp_path):
    script = Path(__file__).parent / "ddp_adversarial.py"
    for processes in (1, 2):
        run = subprocess.run(
            [sys.executable, str(script), str(tmp_path / f"{processes}.pt"), str(processes)],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, run.stderr[-2000:]
    one, two = torch.load(tmp_path / "1.pt"), torch.load(tmp_path / "2.pt")
    assert one == two
    figures, outcomes = one
    assert {"worst_linf_0.02", "pgd_linf_0.01", "cos_pgd_linf_0.02"} <= {metric for _, metric, *_ in figures}
    assert {"adversarial", "extra"} <= {test for test, _ in outcomes}
    for test, flags in outcomes:  # every figure is the mean of its images
        of_cells = {
            metric.removeprefix("accuracy/"): (value, n) for name, metric, value, *_, n in figures[:-4] if name == test
        }
        for cell in flags.keys() - {"index"}:
            assert of_cells[cell] == (pytest.approx(sum(flags[cell]) / len(flags[cell])), len(flags[cell])), (
                test,
                cell,
            )
