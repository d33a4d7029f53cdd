"""Reading corrupted sets: what each layout becomes, and what is said of incomplete and broken ones."""

import shutil

import numpy as np
import pytest
from torch.utils.data import DataLoader

from robustlit.corruptions import COMMON
from robustlit.data import DataError, open_corrupted
from robustlit.data.collate import Collate
from robustlit.data.corrupted import Acdc, Arrays, ClassFolders, MaskFolders
from robustlit.data.errors import UnreadableImageError
from tests.data.corrupted_sets import write, write_arrays, write_class_folders, write_mask

BOTH = [(name, severity) for name in ("snow", "fog") for severity in (1, 2, 3, 4, 5)]


def value(item):
    return int(item["image"][0, 0, 0])


def test_arrays(tmp_path):
    found = open_corrupted(write_arrays(tmp_path), num_classes=3)
    assert isinstance(found, Arrays)
    assert list(found.cells) == BOTH  # in the order of the paper
    assert (found.task, found.num_classes, found.class_names, found.provenance) == ("classification", 3, (), None)
    cell = found.dataset(("snow", 4))
    assert len(cell) == 6
    item = cell[5]
    assert (value(item), item["target"], item["index"], item["image"].shape) == (120 + 5 + 10, 2, 5, (32, 32, 3))
    batch = next(iter(DataLoader(cell, batch_size=4, collate_fn=Collate(cell.describe))))
    assert batch["image"].shape == (4, 3, 32, 32)
    assert batch["target"].tolist() == [0, 1, 2, 0]
    assert batch["index"].tolist() == [0, 1, 2, 3]


def test_arrays_stay_on_disk(tmp_path):
    item = open_corrupted(write_arrays(tmp_path)).dataset(("fog", 1))[0]
    base = item["image"]
    while isinstance(base, np.ndarray):
        base = base.base
    assert type(base).__name__ == "mmap"


def test_arrays_with_the_labels_of_one_severity_and_names(tmp_path):
    write_arrays(tmp_path)
    np.save(tmp_path / "labels.npy", np.arange(6) % 3)
    found = open_corrupted(tmp_path, class_names=("a", "b", "c"))
    assert [found.dataset(("fog", 5))[i]["target"] for i in range(6)] == [0, 1, 2, 0, 1, 2]
    assert found.class_names == ("a", "b", "c")
    with pytest.raises(DataError, match=r"expected 4 classes in .*, got 3; try"):
        found.check_classes(4)


def test_labels_show_the_least_number_of_classes(tmp_path):
    found = open_corrupted(write_arrays(tmp_path))
    found.check_classes(10)
    with pytest.raises(DataError, match=r"expected labels 0 … 1 in .*labels.npy, got 2 at row 2"):
        open_corrupted(tmp_path, num_classes=2)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "labels.npy").unlink(), "expected labels.npy in .*, got no such file; try"),
        (
            lambda folder: np.save(folder / "labels.npy", np.zeros(7, int)),
            "expected 30 labels, or 6 for every severity",
        ),
        (lambda folder: np.save(folder / "fog.npy", np.zeros((29, 32, 32, 3), np.uint8)), "fog.npy, got 29 images"),
        (lambda folder: (folder / "fog.npy").write_bytes(b"nothing"), "expected a NumPy array in .*fog.npy, got"),
        (
            lambda folder: np.save(folder / "fog.npy", np.float32(1)),
            "expected an array of images or labels in .*fog.npy",
        ),
    ],
)
def test_broken_arrays(tmp_path, spoil, message):
    write_arrays(tmp_path)
    spoil(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        open_corrupted(tmp_path)
    assert "\n" not in str(caught.value)


def test_truncated_array(tmp_path):
    file = write_arrays(tmp_path) / "snow.npy"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"snow.npy"):
        open_corrupted(tmp_path)


def test_class_folders_grouped_as_the_archives_are(tmp_path):
    found = open_corrupted(write_class_folders(tmp_path), num_classes=2)
    assert isinstance(found, ClassFolders)
    assert found.names == ("shot_noise", "glass_blur")
    assert (found.class_names, found.num_classes, len(found.cells)) == (("n01440764", "n01443537"), 2, 10)
    cell = found.dataset(("glass_blur", 3))
    assert [(value(item), item["target"], item["index"]) for item in map(cell.__getitem__, range(4))] == [
        (20, 0, 0),
        (21, 0, 1),
        (70, 1, 2),
        (71, 1, 3),
    ]
    assert cell.describe(2).endswith("blur/glass_blur/3/n01443537/val_0.JPEG")
    with pytest.raises(DataError, match=r"expected 1000 classes in .*, got 2"):
        found.check_classes(1000)


def test_levels_named_by_cbars_raw_numbers(tmp_path):
    raw = ("10.00", "4.75", "8.50", "7.00", "9.25")
    write_class_folders(tmp_path, names=("plasma_noise",), levels=raw)
    found = open_corrupted(tmp_path)
    order = [raw.index(number) for number in ("4.75", "7.00", "8.50", "9.25", "10.00")]
    assert [value(found.dataset(("plasma_noise", s))[0]) for s in (1, 2, 3, 4, 5)] == [10 * place for place in order]
    shutil.rmtree(tmp_path / "plasma_noise" / "7.00")
    with pytest.raises(
        DataError, match=r"expected five levels in .*plasma_noise, got .*; try naming their folders 1 to"
    ):
        open_corrupted(tmp_path)


def test_missing_cells_are_reported(tmp_path):
    write_class_folders(tmp_path)
    shutil.rmtree(tmp_path / "noise" / "shot_noise" / "2")
    found = open_corrupted(tmp_path)
    assert found.missing() == [("shot_noise", 2)]
    assert len(found.missing(COMMON)) == 13 * 5 + 1
    assert found.missing(severities=(1, 3)) == []
    first, second = found.problems
    assert first.endswith("missing 1 cell (shot_noise 2)")
    assert "2 of the 15 common corruptions, without gaussian_noise, impulse_noise" in second
    found.require(["glass_blur"])
    with pytest.raises(DataError, match=r"expected every cell in .*, got all but 1 cell \(shot_noise 2\)"):
        found.require()
    with pytest.raises(DataError, match=r"expected a cell of .*, got 'shot_noise 2'; try 'shot_noise .'"):
        found.dataset(("shot_noise", 2))


def test_a_whole_family_has_no_problems(tmp_path):
    found = open_corrupted(write_arrays(tmp_path, names=COMMON, count=1))
    assert found.problems == ()
    found.require(COMMON)


def test_cells_of_other_images_are_errors(tmp_path):
    write_class_folders(tmp_path)
    (tmp_path / "blur" / "glass_blur" / "4" / "n01443537" / "val_1.JPEG").unlink()
    shutil.rmtree(tmp_path / "blur" / "glass_blur" / "5" / "n01443537")
    found = open_corrupted(tmp_path)
    assert len(found.dataset(("glass_blur", 3))) == 4
    with pytest.raises(
        DataError, match=r"glass_blur/4 as in .*, got 3 instead of 4, 'n01443537/val_1' being in one only"
    ):
        found.dataset(("glass_blur", 4))
    with pytest.raises(DataError, match=r"expected the 2 classes of .*, got 1 with 'n01443537' being in one only"):
        found.dataset(("glass_blur", 5))


def test_unreadable_image(tmp_path):
    file = write_class_folders(tmp_path) / "noise" / "shot_noise" / "1" / "n01440764" / "val_0.JPEG"
    file.write_bytes(b"broken")
    cell = open_corrupted(tmp_path).dataset(("shot_noise", 1))
    with pytest.raises(UnreadableImageError, match=r"shot_noise/1/n01440764/val_0.JPEG"):
        cell[0]


@pytest.mark.parametrize("own", ["images", "shared"])
def test_masks(tmp_path, own):
    images = "fog/3/images" if own == "images" else "fog/3"
    for town in ("aachen", "bonn"):
        write(tmp_path / images / town / f"{town}_leftImg8bit.png", 7)
        write_mask(tmp_path / "masks" / "1" / f"{town}.png", 0)  # no severity
        write_mask(tmp_path / "masks" / town / f"{town}_gtFine_labelTrainIds.png", 18 if town == "bonn" else 255)
        write_mask(tmp_path / "masks" / town / f"{town}_gtFine_labelIds.png", 33)
    found = open_corrupted(tmp_path)
    assert isinstance(found, MaskFolders)
    assert (found.task, found.num_classes, found.ignore_index, found.class_names[18]) == (
        "segmentation",
        19,
        255,
        "bicycle",
    )
    cell = found.dataset(("fog", 3))
    assert [int(cell[i]["target"].max()) for i in range(2)] == [255, 18]
    assert cell[0]["target"].shape == (20, 24)


def test_masks_elsewhere_with_values_of_their_own(tmp_path):
    table = np.full(256, -1)
    table[[0, 200]] = 0, 1
    write(tmp_path / "set" / "snow" / "1" / "a.png", 7)
    write_mask(tmp_path / "clean" / "a.png", 200)
    settings = {"masks": tmp_path / "clean", "num_classes": 2, "mask_values": table}
    found = open_corrupted(tmp_path / "set", **settings)
    assert int(found.dataset(("snow", 1))[0]["target"][0, 0]) == 1
    assert (found.class_names, found.ignore_index) == (("0", "1"), None)
    write(tmp_path / "set" / "snow" / "2" / "a.png", 7)
    write(tmp_path / "set" / "snow" / "2" / "b.png", 7)
    with pytest.raises(DataError, match=r"expected the same images in .*snow/2 as in .*snow/1, got 2 instead of 1"):
        open_corrupted(tmp_path / "set", **settings).dataset(("snow", 2))
    (tmp_path / "clean" / "a.png").rename(tmp_path / "clean" / "c.png")
    with pytest.raises(DataError, match=r"expected a mask in .*clean for every image, got none for 1 of 1"):
        open_corrupted(tmp_path / "set", **settings).dataset(("snow", 1))
    with pytest.raises(DataError, match=r"expected a folder of masks at .*gone"):
        open_corrupted(tmp_path / "set", masks=tmp_path / "gone")


def test_acdc(tmp_path):
    for place, condition in enumerate(("fog", "night", "rain", "snow")):
        for split in ("train", "val"):
            stem = tmp_path / "rgb_anon" / condition / split / "GOPR1" / f"GOPR1_{split}"
            write(stem.with_name(stem.name + "_rgb_anon.png"), 10 * place + len(split))
            mask = tmp_path / "gt" / condition / split / "GOPR1" / f"GOPR1_{split}_gt_labelTrainIds.png"
            write_mask(mask, place)
        write(tmp_path / "rgb_anon" / condition / "val_ref" / "GOPR1" / "GOPR1_ref_rgb_anon.png", 99)
    found = open_corrupted(tmp_path, num_classes=19)
    assert isinstance(found, Acdc)
    assert {name for name, severity in found.cells if severity is None} == {"fog", "night", "rain", "snow"}
    assert (found.missing(), found.task, found.ignore_index) == ([], "segmentation", 255)
    cell = found.dataset(("rain", None))
    assert (len(cell), value(cell[0]), int(cell[0]["target"].max())) == (1, 23, 2)
    assert value(open_corrupted(tmp_path, split="train").dataset(("rain", None))[0]) == 25
    with pytest.raises(DataError, match=r"expected a split 'test' below .*rgb_anon, got none"):
        open_corrupted(tmp_path, split="test")


@pytest.mark.parametrize(
    ("make", "layout", "message"),
    [
        (lambda folder: None, "auto", r"expected <corruption>.npy files, <corruption>/<severity> folders or rgb_anon/"),
        (lambda folder: None, "arrays", r"expected corruptions in .*, got none; try another path"),
        (lambda folder: None, "acdc", "expected the folders rgb_anon and gt in"),
        (lambda folder: None, "array", "expected the name of a layout, got 'array'; try 'arrays'"),
        (
            lambda folder: write(folder / "1" / "cat" / "a.png", 0),
            "auto",
            "expected folders named after corruptions in",
        ),
        (
            lambda folder: write(folder / "fog" / "7" / "cat" / "a.png", 0),
            "auto",
            "expected severities 1 to 5 in .*got 7",
        ),
        (
            lambda folder: write(folder / "fog" / "1" / "a.png", 0),
            "auto",
            "expected a folder for each class in .*fog/1",
        ),
    ],
)
def test_folders_of_another_layout(tmp_path, make, layout, message):
    make(tmp_path)
    with pytest.raises(ValueError, match=message) as caught:
        open_corrupted(tmp_path, layout=layout)
    assert "\n" not in str(caught.value)


def test_no_folder_and_one_corruption_twice(tmp_path):
    with pytest.raises(DataError, match=r"expected a folder at .*gone, got nothing there"):
        open_corrupted(tmp_path / "gone")
    write_class_folders(tmp_path, names=("blur/fog", "weather/fog"))
    with pytest.raises(DataError, match="expected one folder for fog 1, got"):
        open_corrupted(tmp_path)
