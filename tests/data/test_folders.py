"""Folders of images and of masks: layouts, splits, groups, broken files, and the errors of a wrong layout."""

from threading import Barrier

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset

from robustlit.data import DataError, ImageFolder, MaskFolder, Splits
from robustlit.data.errors import UnreadableImageError
from robustlit.data.unreadable import without_unreadable
from tests.data.tiny_data import exhaust


def write(path, value=0, size=(6, 8), channels=3):
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (*size, channels) if channels == 3 else size
    Image.fromarray(np.full(shape, value, np.uint8)).save(path)


@pytest.fixture
def pictures(tmp_path):
    for number, name in enumerate(["cat", "dog"]):
        for i in range(5):
            write(tmp_path / name / f"{i}.png", 100 * number + i)
    return tmp_path


@pytest.fixture
def streets(tmp_path):
    for split, count in {"train": 4, "val": 2}.items():
        for i in range(count):
            write(tmp_path / split / "images" / f"{i}.jpg", i)
            write(tmp_path / split / "masks" / f"{i}.png", i % 3, channels=1)
    return tmp_path


def ready(data):
    data.setup()
    return data


def everything(samples):
    return {samples.describe(samples[i]["index"]).rpartition("/")[2] for i in range(len(samples))}


def test_class_folders_with_a_random_split(pictures):
    data = ready(ImageFolder(pictures, val_fraction=0.3))
    assert (data.class_names, data.num_classes, data.task) == (("cat", "dog"), 2, "classification")
    assert (len(data.train_set), len(data.val_set), data.test_names) == (7, 3, ())
    for part in (data.train_set, data.val_set):
        for i in range(len(part)):
            value = part[i]["image"][0, 0, 0]
            assert part[i]["target"] == value // 100
            assert part[i]["index"] == value // 100 * 5 + value % 100


def test_given_splits(tmp_path):
    for split, count in {"train": 3, "val": 2, "test": 1}.items():
        for i in range(count):
            write(tmp_path / split / "b" / f"{i}.png")
        write(tmp_path / split / "a" / "x.png")
    data = ready(ImageFolder(tmp_path, channels=1))
    assert (len(data.train_set), len(data.val_set), len(data.test_sets["test"])) == (4, 3, 2)
    assert data.train_set[0]["image"].shape == (6, 8, 1)
    assert data.mean == pytest.approx((0.449,), abs=1e-3)
    write(tmp_path / "val" / "bb" / "x.png")
    with pytest.raises(ValueError, match=r"expected the name of a class in .*val, got 'bb'; try 'b'"):
        ready(ImageFolder(tmp_path))


def test_some_of_the_classes_of_a_model(pictures):
    data = ready(ImageFolder(pictures, class_names=["bird", "dog", "cat"], val_fraction=0))
    assert (data.num_classes, data.class_names) == (3, ("bird", "dog", "cat"))
    assert sorted({data.train_set[place]["target"] for place in range(10)}) == [1, 2]
    with pytest.raises(ValueError, match=r"expected the name of a class in .*, got 'dog'; try 'dogs'"):
        ready(ImageFolder(pictures, class_names=["cat", "dogs"]))
    with pytest.raises(ValueError, match="expected every class once, got 1 twice"):
        ImageFolder(pictures, class_names=["cat", "cat"])
    with pytest.raises(ValueError, match="expected the name of a list of classes, got 'imagnet'; try 'imagenet'"):
        ImageFolder(pictures, class_names="imagnet")


@pytest.mark.parametrize(("column", "settings"), [("group", {}), ("patient", {"group_column": "patient"})])
def test_groups_stay_together(pictures, column, settings):
    table = pictures / "groups.csv"
    rows = [f"{name}/{i}.png,{name}{i},patient{i}" for name in ("cat", "dog") for i in range(5)]
    table.write_text("\n".join([f"file,scan,{column}", *rows]))
    data = ready(ImageFolder(pictures, groups=table, val_fraction=0.4, **settings))
    assert (len(data.train_set), len(data.val_set)) == (6, 4)
    assert not everything(data.train_set) & everything(data.val_set)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,group\ncat/0.png,1", "expected the columns file and group in .*, got name,group; try another group_col"),
        ("file,group\ncat/0.png,1\ncat/1.png,", "got none for 9 of 10, the first being 'cat/1.png'"),
        ("file,group\ncat/0.png,1\ncat/1.png", "got none for 9 of 10, the first being 'cat/1.png'"),
        (None, "expected a CSV file at .*groups.csv, got nothing there"),
    ],
)
def test_wrong_groups(pictures, content, message):
    if content is not None:
        (pictures / "groups.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        ready(ImageFolder(pictures, groups=pictures / "groups.csv"))


def test_groups_beside_a_val_folder(streets):
    table = streets / "groups.csv"
    table.write_text("\n".join(["file,patient", *(f"{i}.jpg,{i}" for i in range(4))]))
    data = MaskFolder(streets, num_classes=3, groups=table, group_column="patient")
    with pytest.raises(DataError, match="got groups and a val split too; try groups=null"):
        ready(data)


def test_wrong_picture_folders(tmp_path):
    with pytest.raises(DataError, match=r"expected a folder at .*gone, got nothing there; try another path"):
        ready(ImageFolder(tmp_path / "gone"))
    with pytest.raises(DataError, match=r"expected a folder for each class in .*, got none"):
        ready(ImageFolder(tmp_path))
    (tmp_path / "cat").mkdir()
    with pytest.raises(DataError, match=r"expected images in .*cat, got an empty folder"):
        ready(ImageFolder(tmp_path))


def broken_image(root):
    (root / "images" / "1.jpg").write_bytes(b"broken")


def broken_mask(root):
    (root / "masks" / "1.png").write_bytes(b"broken")


def missing_mask(root):
    (root / "masks" / "1.png").unlink()


def small_mask(root):
    write(root / "masks" / "1.png", size=(6, 7), channels=1)


def wrong_class(root):
    write(root / "masks" / "1.png", 9, channels=1)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (broken_image, r"^expected a readable image in .*1.jpg, got .*; try on_bad_image=skip$"),
        (broken_mask, r"^expected a readable image in .*1.png, got .*; try on_bad_image=skip$"),
        (missing_mask, r"^expected a readable image in .*1.png, got .*No such file.*; try on_bad_image=skip$"),
        (small_mask, r"^expected image and mask of one size, got 6×8 in .* and 6×7 in .*; try resizing one of them$"),
        (wrong_class, r"^expected class indices 0 … 2 .* in .*1.png, got 9; try num_classes=10 or ignore_index=9$"),
    ],
)
@pytest.mark.parametrize("workers", [0, 2])
def test_what_is_wrong_is_said_in_one_line(streets, spoil, message, workers):
    data = ready(MaskFolder(streets, num_classes=3, num_workers=workers))
    spoil(streets / "train")
    with pytest.raises(DataError, match=message) as error:
        exhaust(data.train_dataloader())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_image_stops_by_default(pictures, workers):
    (pictures / "cat" / "3.png").write_bytes(b"broken")
    data = ready(ImageFolder(pictures, val_fraction=0, num_workers=workers))
    with pytest.raises(DataError, match=r"^expected a readable image in .*cat/3.png, got .*; try on_bad_image=skip$"):
        exhaust(data.train_dataloader())


def test_broken_images_are_skipped_and_listed(pictures):
    bad = [pictures / "cat" / "3.png", pictures / "dog" / "0.png"]
    for path in bad:
        path.write_bytes(b"broken")
    data = ready(ImageFolder(pictures, val_fraction=0.25, on_bad_image="skip", batch_size=2))
    assert data.bad_images == [str(path) for path in bad]
    assert (len(data.train_set), len(data.val_set), len(data.train_dataloader())) == (6, 2, 3)
    seen = torch.cat(
        [batch["index"] for loader in (data.train_dataloader(), data.val_dataloader()) for batch in loader]
    )
    assert sorted(seen.tolist()) == [0, 1, 2, 4, 6, 7, 8, 9]  # indices count the broken files too


def test_images_are_checked_in_several_threads_and_order_is_kept(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    both = Barrier(2, timeout=20)  # passes only when two threads are reading

    class Broken(Dataset):
        def __len__(self):
            return 150

        def __getitem__(self, index):
            if index in (0, 64):
                both.wait()
            if index % 7 == 0:
                raise UnreadableImageError(f"broken {index}")
            return {}

    splits, bad = without_unreadable(Splits(Broken()))
    assert bad == [f"sample {index}" for index in range(0, 150, 7)]
    assert splits.train.indices == [index for index in range(150) if index % 7]


def test_the_broken_one_of_image_and_mask_is_listed(streets):
    bad = [streets / "train" / "images" / "1.jpg", streets / "train" / "masks" / "2.png"]
    for path in bad:
        path.write_bytes(b"broken")
    data = ready(MaskFolder(streets, num_classes=3, on_bad_image="skip"))
    assert data.bad_images == [str(path) for path in bad]
    assert len(data.train_set) == 2


def test_a_wrong_mask_is_not_skipped(streets):
    write(streets / "train" / "masks" / "1.png", 9, channels=1)
    data = ready(MaskFolder(streets, num_classes=3, on_bad_image="skip"))
    with pytest.raises(DataError, match=r"expected class indices 0 … 2 or ignore_index=None in .*1.png, got 9; try"):
        exhaust(data.train_dataloader())


def test_masks_belong_to_their_images(streets):
    data = ready(MaskFolder(streets, class_names=["a", "b"], ignore_index=2))
    assert (data.task, data.num_classes, data.ignore_index, data.test_names) == ("segmentation", 2, 2, ())
    batch = data.on_after_batch_transfer(next(iter(data.eval_dataloader("val"))), 0)
    assert batch["image"].shape == (2, 3, 6, 8)
    assert batch["target"].dtype == torch.int64
    assert batch["target"].unique(dim=1).shape[1] == 1
    assert [int(mask[0, 0]) for mask in batch["target"]] == [0, 1]


def test_mask_values_become_classes(tmp_path):
    for i, value in enumerate([0, 255, 7]):
        write(tmp_path / "images" / f"{i}.jpg", i)
        write(tmp_path / "masks" / f"{i}.png", value, channels=1)
    settings = {"class_names": ["cell", "void"], "val_fraction": 0}
    data = ready(MaskFolder(tmp_path, mask_values=[255, 0], ignore_index=7, **settings))
    assert data.ignore_index == 255
    assert [data.train_set[i]["target"][0, 0] for i in range(3)] == [1, 0, 255]
    with pytest.raises(DataError, match=r"^expected only the values 0, 255 in mask .*2.png, got 7; try other mask_val"):
        ready(MaskFolder(tmp_path, mask_values=[255, 0], **settings)).train_set[2]
    Image.fromarray(np.full((6, 8), 300, np.uint16)).save(tmp_path / "masks" / "0.png")
    with pytest.raises(DataError, match=r"^expected only the values 0, 7, 255 in mask .*0.png, got 300"):
        data.train_set[0]


@pytest.mark.parametrize(
    ("values", "ignored"), [([0, 1, 2], None), ([0], None), ([3, 3], None), ([0, 256], None), ([0, 255], 255)]
)
def test_wrong_mask_values(tmp_path, values, ignored):
    with pytest.raises(DataError, match="expected 2 different mask_values in 0 … 255, none of them ignore_index, got"):
        MaskFolder(tmp_path, num_classes=2, mask_values=values, ignore_index=ignored)


def test_masks_without_splits(streets):
    data = ready(MaskFolder(streets / "train", num_classes=3, val_fraction=0.25))
    assert (len(data.train_set), len(data.val_set)) == (3, 1)


@pytest.mark.parametrize("name", ["images/2.png", "masks/2.bmp"])
def test_two_files_of_one_stem(streets, name):
    write(streets / "train" / name, channels=1)
    with pytest.raises(
        DataError, match=r"^expected files of different stems, got .*/2\.\w+ and .*/2\.\w+; try renaming"
    ):
        ready(MaskFolder(streets, num_classes=3))


def test_wrong_mask_folders(streets):
    with pytest.raises(DataError, match=r"try num_classes=… or class_names=\[…\]"):
        MaskFolder(streets)
    with pytest.raises(DataError, match="expected 3 class names, got 2; try num_classes=2"):
        MaskFolder(streets, num_classes=3, class_names=["a", "b"])
    (streets / "train" / "masks" / "2.png").unlink()
    with pytest.raises(DataError, match=r"got none for 1 of 4, the first being 2.jpg"):
        ready(MaskFolder(streets, num_classes=3))
    with pytest.raises(DataError, match=r"expected a folder at .*images, got nothing there"):
        ready(MaskFolder(streets / "train" / "masks", num_classes=3))
