"""The shapes DataModule gives batches that fit the modules, and shows the shortcut it was made for."""

import pytest
import torch
from torch.nn import functional as F

from robustlit.data.shapes import SHAPE_NAMES, ShapesDataModule
from robustlit.models import small_cnn


def build(tmp_path, **options):
    sizes = {"train_size": 40, "val_size": 20, "test_size": 20, "image_size": 32, "batch_size": 8, "num_workers": 0}
    return ShapesDataModule(cache_dir=tmp_path, **{**sizes, **options})


def first_batch(data, loader):
    return data.on_after_batch_transfer(next(iter(loader)), 0)


def test_a_batch_for_classification(tmp_path):
    data = build(tmp_path)
    data.setup("fit")
    batch = first_batch(data, data.train_dataloader())
    assert (data.task, data.num_classes, data.class_names, data.channels) == ("classification", 10, SHAPE_NAMES, 3)
    assert batch["image"].shape == (8, 3, 32, 32)
    assert batch["image"].dtype == torch.float32
    assert 0 <= batch["image"].min() < batch["image"].max() <= 1
    assert (batch["target"] == batch["index"] % 10).all()
    assert batch["mask"].shape == (8, 32, 32)
    assert batch["texture"].shape == batch["background"].shape == (8,)


def test_a_batch_for_segmentation(tmp_path):
    data = build(tmp_path, task="segmentation")
    data.setup("fit")
    batch = first_batch(data, data.train_dataloader())
    assert (data.task, data.num_classes, data.class_names) == ("segmentation", 11, ("background", *SHAPE_NAMES))
    assert batch["target"].shape == (8, 32, 32)
    assert batch["target"].dtype == torch.int64
    for target, shape in zip(batch["target"], batch["shape"], strict=True):
        assert target.unique().tolist() == [0, 1 + shape]


def test_the_tests_have_names_and_meaning(tmp_path):
    data = build(tmp_path)
    data.setup("test")
    assert data.test_names == ("iid", "uncorrelated", "cue_conflict")
    conflict = first_batch(data, data.test_dataloader()[2])
    assert (conflict["texture"] != conflict["target"]).all()
    assert [len(data.train_set), len(data.val_set)] == [40, 20]


def test_the_run_seed_shuffles_but_leaves_the_set_alone(tmp_path):
    one, two, other = build(tmp_path, seed=1), build(tmp_path, seed=2), build(tmp_path, seed=1, data_seed=1)
    for data in (one, two, other):
        data.setup("fit")
    assert (one.train_set[0]["image"] == two.train_set[0]["image"]).all()
    assert (one.train_set[0]["image"] != other.train_set[0]["image"]).any()
    assert next(iter(one.train_dataloader()))["index"].tolist() != next(iter(two.train_dataloader()))["index"].tolist()


def test_mean_and_std_are_those_of_the_pictures(tmp_path):
    data = build(tmp_path, train_size=500)
    data.setup("fit")
    images = torch.stack([torch.from_numpy(data.train_set[i]["image"]) for i in range(500)]).float() / 255
    assert data.mean == pytest.approx(images.mean(dim=(0, 1, 2)).tolist(), abs=0.03)
    assert data.std == pytest.approx(images.std(dim=(0, 1, 2)).tolist(), abs=0.03)


def test_an_unknown_task_is_one_clear_line(tmp_path):
    with pytest.raises(ValueError, match="got 'segmentations'; try 'segmentation'"):
        build(tmp_path, task="segmentations")


@pytest.mark.slow
def test_a_plain_net_takes_the_shortcut(tmp_path):
    """What the set is for: high accuracy as trained, far lower once texture tells nothing, least where it misleads."""
    data = build(tmp_path, train_size=6000, test_size=1000, image_size=64, batch_size=64, eval_batch_size=250)
    data.setup()
    net = _train(data, epochs=5)
    accuracy = {
        name: _accuracy(net, data, loader) for name, loader in zip(data.test_names, data.test_dataloader(), strict=True)
    }
    assert accuracy["iid"] > 0.85
    assert accuracy["uncorrelated"] < accuracy["iid"] - 0.2
    assert accuracy["cue_conflict"] < accuracy["uncorrelated"]


def _train(data, epochs):
    net = small_cnn(num_classes=10)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    steps = epochs * len(data.train_dataloader())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    for _ in range(epochs):
        for raw in data.train_dataloader():
            batch = data.on_after_batch_transfer(raw, 0)
            optimizer.zero_grad()
            F.cross_entropy(net(_normalised(data, batch["image"])), batch["target"]).backward()
            optimizer.step()
            schedule.step()
    return net.eval()


def _normalised(data, images):
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (data.mean, data.std))
    return (images - mean) / std


@torch.no_grad()
def _accuracy(net, data, loader):
    batches = [data.on_after_batch_transfer(batch, 0) for batch in loader]
    hits = torch.cat([net(_normalised(data, batch["image"])).argmax(dim=1) == batch["target"] for batch in batches])
    return hits.float().mean().item()
