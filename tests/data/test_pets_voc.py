"""Oxford-IIIT Pet and VOC from small folders in their own layouts, and CamVid from the real one."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from robustlit.data import VOC, DataError, MaskFolder, Pets


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def pets(tmp_path):
    root = tmp_path / "oxford-iiit-pet"
    names = {"trainval": ["Abyssinian_1", "great_pyrenees_1", "Abyssinian_2"], "test": ["great_pyrenees_2"]}
    for split, members in names.items():
        for name in members:
            write(root / "images" / f"{name}.jpg", np.zeros((4, 6, 3), np.uint8))
            write(root / "annotations" / "trimaps" / f"{name}.png", np.tile(np.uint8([1, 2, 3]), (4, 2)))
        lines = [f"{name} {1 + name.startswith('great')} 1 1" for name in members]
        (root / "annotations" / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.mark.parametrize(("target", "values", "ignored"), [("binary", [1, 0, 255], 255), ("trimap", [1, 0, 2], None)])
def test_pet_masks(pets, target, values, ignored):
    data = Pets(pets, target=target, val_fraction=0.34)
    data.setup()
    assert (data.task, data.ignore_index) == ("segmentation", ignored)
    assert (len(data.train_set), len(data.val_set), len(data.test_sets["test"])) == (2, 1, 1)
    assert data.test_sets["test"][0]["target"][0, :3].tolist() == values
    assert data.class_names[1] == "pet"


def test_pet_breeds(pets):
    data = Pets(pets, target="breed", val_fraction=0)
    data.setup()
    assert (data.task, data.class_names) == ("classification", ("Abyssinian", "great_pyrenees"))
    assert [data.train_set[i]["target"] for i in range(3)] == [0, 1, 0]


def test_wrong_pet_settings(tmp_path):
    with pytest.raises(ValueError, match="expected the name of a pets target, got 'tripam'; try 'trimap'"):
        Pets(target="tripam")
    with pytest.raises(DataError, match=r"expected Oxford-IIIT Pet in .*; try path=null"):
        Pets(tmp_path).setup()


def test_voc(tmp_path):
    root = tmp_path / "VOCdevkit" / "VOC2012"
    for split, name in {"train": "a", "val": "b"}.items():
        write(root / "JPEGImages" / f"{name}.jpg", np.zeros((4, 6, 3), np.uint8))
        write(root / "SegmentationClass" / f"{name}.png", np.tile(np.uint8([0, 20, 255]), (4, 2)))
        (root / "ImageSets" / "Segmentation").mkdir(parents=True, exist_ok=True)
        (root / "ImageSets" / "Segmentation" / f"{split}.txt").write_text(f"{name}\n")
    data = VOC(tmp_path)
    data.setup()
    assert (data.num_classes, len(data.class_names), data.ignore_index) == (21, 21, 255)
    assert (len(data.train_set), len(data.val_set), data.test_names) == (1, 1, ())
    assert data.train_set[0]["target"][0, :3].tolist() == [0, 20, 255]
    with pytest.raises(DataError, match=r"expected Pascal VOC in .*; try path=null"):
        VOC(tmp_path / "gone").setup()


@pytest.mark.slow
def test_real_camvid():
    folder = os.environ.get("ROBUSTLIT_TEST_DATA")
    if not folder or not (Path(folder) / "camvid").is_dir():
        pytest.skip("no camvid in ROBUSTLIT_TEST_DATA")
    data = MaskFolder(Path(folder) / "camvid", num_classes=11, ignore_index=11, eval_batch_size=4)
    data.setup()
    assert (len(data.train_set), len(data.val_set)) == (367, 101)
    batch = next(iter(data.val_dataloader()))
    assert batch["image"].shape == (4, 3, 360, 480)
    assert int(batch["target"].max()) <= 11
