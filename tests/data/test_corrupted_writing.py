"""Writing corrupted sets: what is written can be read, and is what corrupting in memory gives."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from robustlit.corruptions import corrupt, resolve
from robustlit.corruptions.weather.frost import Frost
from robustlit.data import DataError, MaskFolder, open_corrupted
from robustlit.data.corrupted import Plan, write_corrupted
from tests.data.corrupted_sets import DARKER, SHIFTED, provenance, write, write_clean, write_mask, write_npz


def tensors(arrays):
    return torch.from_numpy(np.asarray(arrays)).permute(0, 3, 1, 2)


def test_arrays_round_trip(tmp_path):
    source, images, labels = write_npz(tmp_path / "set.npz")
    assert write_corrupted(source, tmp_path / "out", Plan((SHIFTED, DARKER), (1, 4), seed=5, batch_size=3)) == 7
    found = open_corrupted(tmp_path / "out", num_classes=3)
    assert found.cells == (("darker", 1), ("darker", 4), ("shifted", 1), ("shifted", 4))
    for corruption in (SHIFTED, DARKER):
        for severity in (1, 4):
            cell = found.dataset((corruption.label, severity))
            expected = corrupt(tensors(images), corruption, severity, seed=5)
            assert torch.equal(tensors([cell[i]["image"] for i in range(7)]), expected)
            assert [cell[i]["target"] for i in range(7)] == labels.tolist()
    made = provenance(tmp_path / "out")
    assert {key: made[key] for key in ("preset", "seed", "storage", "split", "images", "severities", "source")} == {
        "preset": "auto",
        "seed": 5,
        "storage": "npy",
        "split": "test",
        "images": 7,
        "severities": [1, 4],
        "source": "set.npz",
    }
    assert made["cells"][0] == {"corruption": "darker", "severity": 1, "images": 7, "presets": ["cifar"]}


def test_several_labels_and_grey_images(tmp_path):
    images = np.random.RandomState(0).randint(0, 65536, (4, 20, 28)).astype(np.uint16)
    labels = np.eye(4, 3, dtype=int)
    np.savez(tmp_path / "set.npz", train_images=images, train_labels=labels)
    write_corrupted(tmp_path / "set.npz", tmp_path / "out", Plan((DARKER,), (2,)))
    found = open_corrupted(tmp_path / "out")
    item = found.dataset(("darker", 2))[1]
    assert (found.task, found.num_classes, item["target"].tolist()) == ("multilabel", 3, [0, 1, 0])
    assert item["image"].shape == (20, 28, 1)
    clean = images[1] / 257
    assert np.abs(item["image"][..., 0] - 0.8 * clean).max() < 1.5


@pytest.mark.parametrize("storage", ["png", "jpeg85"])
def test_folders_round_trip(tmp_path, storage):
    source = write_clean(tmp_path / "clean")
    assert write_corrupted(source, tmp_path / "out", Plan((SHIFTED,), (3,), storage=storage)) == 6
    found = open_corrupted(tmp_path / "out", num_classes=2)
    assert (found.cells, found.class_names) == ((("shifted", 3),), ("cat", "dog"))
    cell = found.dataset(("shifted", 3))
    for index, (name, i) in enumerate((name, i) for name in ("cat", "dog") for i in range(3)):
        clean = np.asarray(Image.open(source / name / f"{i}.png"))
        seeds = torch.tensor([0] * index + [1])  # the same draws as in a batch of all, whatever the sizes
        expected = corrupt(tensors([clean] * len(seeds)), SHIFTED, 3)[-1].permute(1, 2, 0).numpy()
        assert cell[index]["image"].shape == clean.shape
        assert cell[index]["target"] == index // 3
        difference = np.abs(cell[index]["image"].astype(int) - expected).max()
        assert difference == 0 if storage == "png" else difference <= 1  # flat pictures survive JPEG
    suffixes = {path.suffix for path in (tmp_path / "out").rglob("*.*")} - {".json"}
    assert suffixes == ({".png"} if storage == "png" else {".jpg"})
    assert provenance(tmp_path / "out")["storage"] == storage


def test_jpeg_files_keep_their_names_and_have_quality_85(tmp_path):
    clean = tmp_path / "clean" / "cat" / "val_1.JPEG"
    clean.parent.mkdir(parents=True)
    pixels = np.random.RandomState(0).randint(0, 256, (32, 48, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(clean, format="PNG")
    write_corrupted(tmp_path / "clean", tmp_path / "out", Plan((DARKER,), (1,)))
    (stored,) = (tmp_path / "out").rglob("*.JPEG")
    corrupted = corrupt(tensors([pixels]), DARKER, 1)[0].permute(1, 2, 0).numpy()
    Image.fromarray(corrupted).save(tmp_path / "reference.jpg", quality=85, optimize=True)
    assert stored.relative_to(tmp_path / "out").as_posix() == "darker/1/cat/val_1.JPEG"
    assert stored.read_bytes() == (tmp_path / "reference.jpg").read_bytes()


def test_files_of_quality_85_are_what_storage_says_in_memory(tmp_path):
    picture = tmp_path / "clean" / "cat" / "a.png"
    picture.parent.mkdir(parents=True)
    pixels = np.random.RandomState(0).randint(0, 256, (40, 56, 3)).astype(np.uint8)
    Image.fromarray(pixels).resize((112, 80), Image.Resampling.BICUBIC).save(picture)
    write_corrupted(tmp_path / "clean", tmp_path / "out", Plan((resolve("fog"),), (3,)))
    (stored,) = (tmp_path / "out").rglob("*.jpg")
    expected = corrupt(tensors([np.asarray(Image.open(picture))]), "fog", 3, storage="jpeg85")
    assert torch.equal(tensors([np.asarray(Image.open(stored))]), expected)


@pytest.mark.slow
def test_camvid_round_trip(tmp_path):
    source = Path(os.environ.get("ROBUSTLIT_TEST_DATA", "")) / "camvid" / "val"
    if not source.is_dir():
        pytest.skip("no CamVid: camvid/val is not in $ROBUSTLIT_TEST_DATA")
    write_corrupted(source, tmp_path / "out", Plan((resolve("fog"),), (4,), storage="png"))
    cell = open_corrupted(tmp_path / "out", num_classes=11, ignore_index=11).dataset(("fog", 4))
    clean = MaskFolder(source, num_classes=11, ignore_index=11, val_fraction=0.0)
    clean.setup()
    assert len(cell) == len(clean.train_set)
    for index in (0, 50, 100):
        item, corrupted = clean.train_set[index], cell[index]
        images = tensors([item["image"]]).expand(index + 1, -1, -1, -1)
        expected = corrupt(images, "fog", 4)[-1:]
        assert torch.equal(tensors([corrupted["image"]]), expected)
        assert np.array_equal(corrupted["target"], item["target"])


def test_masks_are_copied_and_not_corrupted(tmp_path):
    source = tmp_path / "val"
    for i in range(3):
        write(source / "images" / f"{i}.png", 100 + i)
        write_mask(source / "masks" / f"{i}.png", i)
    write_corrupted(source, tmp_path / "out", Plan((DARKER,), (1, 2), storage="png"))
    found = open_corrupted(tmp_path / "out", num_classes=3)
    cell = found.dataset(("darker", 2))
    assert found.task == "segmentation"
    assert [int(cell[i]["target"].max()) for i in range(3)] == [0, 1, 2]
    assert [int(cell[i]["image"].max()) for i in range(3)] == [80, 80, 81]
    with pytest.raises(DataError, match="expected pictures without masks to resize or crop"):
        write_corrupted(source, tmp_path / "other", Plan((DARKER,), (1,), resize=16))


def test_frost_is_written_under_its_label_with_its_source(tmp_path):
    source, *_ = write_npz(tmp_path / "set.npz")
    write_corrupted(source, tmp_path / "out", Plan((Frost(),), (2,)))
    (cell,) = provenance(tmp_path / "out")["cells"]
    assert (cell["corruption"], cell["frost"]) == ("frost_procedural", "procedural")
    assert (tmp_path / "out" / "frost_procedural.npy").is_file()
    with pytest.raises(ValueError, match=r"expected a folder with frost1.png"):
        write_corrupted(source, tmp_path / "other", Plan((Frost("nowhere"),), (2,)))
    assert not (tmp_path / "other").exists()
