"""Writing corrupted sets: what is written can be read, goes on where it stopped, and is never of two kinds."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from robustlit.corruptions import CustomCorruption, corrupt, resolve
from robustlit.corruptions.weather.frost import Frost
from robustlit.data import DataError, MaskFolder, open_corrupted
from robustlit.data.corrupted import Plan, write_corrupted
from robustlit.data.corrupted.whole import whole
from robustlit.data.corrupted.writing.pictures import batches, find_pictures, read_picture
from tests.data.corrupted_sets import DARKER, SHIFTED, write, write_clean, write_mask, write_npz


def read(folder):
    return json.loads((folder / "provenance.json").read_text())


def tensors(arrays):
    return torch.from_numpy(np.asarray(arrays)).permute(0, 3, 1, 2)


def states(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.suffix != ".json"}


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
    made = read(tmp_path / "out")
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
    assert read(tmp_path / "out")["storage"] == storage


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


def test_resize_and_crop_as_torchvision_does(tmp_path):
    from torchvision.transforms import functional

    file = tmp_path / "cat" / "a.png"
    file.parent.mkdir()
    pixels = np.random.RandomState(1).randint(0, 256, (51, 90, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(file)
    (picture,) = find_pictures(tmp_path, 40, 33)
    assert picture.size == (33, 33)
    expected = functional.center_crop(functional.resize(Image.open(file), 40), [33, 33])
    assert np.array_equal(read_picture(picture, 40, 33), np.asarray(expected))
    with pytest.raises(DataError, match=r"expected pictures of at least 60×60 pixels, got 40×70 in .*a.png"):
        find_pictures(tmp_path, 40, 60)


def test_sideways_and_grey_pictures(tmp_path):
    sideways, grey = tmp_path / "cat" / "a.jpg", tmp_path / "cat" / "b.png"
    sideways.parent.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.full((20, 30, 3), 50, np.uint8)).save(sideways, exif=exif)
    Image.fromarray(np.full((20, 30), 50, np.uint8)).save(grey)
    pictures = find_pictures(tmp_path, None, None)
    assert [(picture.size, picture.channels) for picture in pictures] == [((30, 20), 3), ((20, 30), 1)]
    assert [read_picture(picture, None, None).shape for picture in pictures] == [(30, 20, 3), (20, 30, 1)]
    write_corrupted(tmp_path, tmp_path.parent / "out-grey", Plan((DARKER,), (1,)))
    assert Image.open(tmp_path.parent / "out-grey" / "darker" / "1" / "cat" / "b.jpg").mode == "L"


def test_batches_never_mix_sizes(tmp_path):
    pictures = find_pictures(write_clean(tmp_path), None, None)
    assert list(batches(pictures, 64)) == [[0, 1], [2], [3, 4], [5]]
    assert list(batches(pictures[:2], 1)) == [[0], [1]]


def test_goes_on_where_it_stopped(tmp_path):
    calls = []

    def failing(images, severity, seeds):
        calls.append(len(images))
        if len(calls) == 4:  # the rehearsal, two batches
            raise KeyboardInterrupt
        return images * 0.5

    source = write_clean(tmp_path / "clean")
    out = tmp_path / "out"
    plan = Plan((failing_corruption(failing),), (1,), storage="png")
    with pytest.raises(KeyboardInterrupt):
        write_corrupted(source, out, plan)
    with pytest.raises(DataError, match=r"expected corruptions in .*out, got only unfinished ones; try its 'robustlit"):
        open_corrupted(out)
    written = states(out)
    assert len(written) == 3  # the first two batches
    (broken,) = out.rglob("0.png")
    broken.write_bytes(b"half a file")
    write_corrupted(source, out, plan)
    after = states(out)
    assert len(after) == 6
    assert [path.name for path in written if after[path] != written[path]] == ["0.png", "1.png"]  # of the broken batch
    assert len(open_corrupted(out).dataset(("failing", 1))) == 6
    calls.clear()
    write_corrupted(source, out, plan)
    assert calls == [1]  # the rehearsal


def failing_corruption(function):
    return CustomCorruption(function, name="failing")


def test_arrays_go_on_and_are_whole_or_absent(tmp_path):
    source, *_ = write_npz(tmp_path / "set.npz")
    out = tmp_path / "out"

    def stopping(images, severity, seeds):
        if severity == 2:
            raise KeyboardInterrupt
        return images

    with pytest.raises(KeyboardInterrupt):
        write_corrupted(source, out, Plan((DARKER, failing_corruption(stopping)), (1, 2)))
    assert sorted(path.name for path in out.iterdir()) == ["darker.npy", "labels.npy", "provenance.json"]
    before = states(out)
    write_corrupted(source, out, Plan((DARKER, failing_corruption(lambda images, severity, seeds: images)), (1, 2)))
    after = states(out)
    assert {path.name for path in after} - {path.name for path in before} == {"failing.npy"}
    assert all(after[path] == before[path] for path in before)
    assert open_corrupted(out).names == ("darker", "failing")


def test_unfinished_cells_are_left_out_and_named(tmp_path):
    source = write_clean(tmp_path / "clean")
    write_corrupted(source, tmp_path / "out", Plan((DARKER,), (1, 2, 3, 4, 5)))
    write_corrupted(source, tmp_path / "out", Plan((SHIFTED,), (1, 2, 3, 4)))
    made = read(tmp_path / "out")
    made["cells"] = [cell for cell in made["cells"] if (cell["corruption"], cell["severity"]) != ("shifted", 4)]
    (tmp_path / "out" / "provenance.json").write_text(json.dumps(made))
    found = open_corrupted(tmp_path / "out")
    assert found.unfinished == (("shifted", 4),)
    assert [line.partition(": ")[2] for line in found.problems] == [
        "unfinished and left out: 1 cell (shifted 4)",
        "missing 1 cell (shifted 5)",
    ]
    with pytest.raises(DataError, match=r"all but 2 cells \(shifted 4, shifted 5\)"):
        found.require()
    (tmp_path / "out" / "provenance.json").write_text("{}")
    with pytest.raises(DataError, match=r"expected .*provenance.json as 'robustlit corrupt' writes it, got KeyError"):
        open_corrupted(tmp_path / "out")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"seed": 1}, "expected seed 0, with which .*out was begun, got 1; try another folder"),
        ({"preset": "imagenet"}, "expected preset 'auto'"),
        ({"storage": "png"}, "expected storage 'jpeg85'"),
        ({"crop": 16}, "expected crop None, with which"),
    ],
)
def test_two_kinds_do_not_mix(tmp_path, other, message):
    source = write_clean(tmp_path / "clean")
    write_corrupted(source, tmp_path / "out", Plan((DARKER,), (1,)))
    before = states(tmp_path / "out")
    with pytest.raises(DataError, match=message):
        write_corrupted(source, tmp_path / "out", Plan((SHIFTED,), (1,), **other))
    assert states(tmp_path / "out") == before
    write(source / "cat" / "new.png", 3)
    with pytest.raises(DataError, match="expected source_digest"):
        write_corrupted(source, tmp_path / "out", Plan((DARKER,), (1,)))


def test_frost_is_written_under_its_label_with_its_source(tmp_path):
    source, *_ = write_npz(tmp_path / "set.npz")
    write_corrupted(source, tmp_path / "out", Plan((Frost(),), (2,)))
    (cell,) = read(tmp_path / "out")["cells"]
    assert (cell["corruption"], cell["frost"]) == ("frost_procedural", "procedural")
    assert (tmp_path / "out" / "frost_procedural.npy").is_file()
    with pytest.raises(ValueError, match=r"expected a folder with frost1.png"):
        write_corrupted(source, tmp_path / "other", Plan((Frost("nowhere"),), (2,)))
    assert not (tmp_path / "other").exists()


def test_what_cannot_work_fails_before_anything_is_written(tmp_path):
    halved = CustomCorruption(lambda images, severity, seeds: images[:, :, ::2], name="halved")
    with pytest.raises(ValueError, match="expected halved to return the shape"):
        write_corrupted(write_clean(tmp_path / "clean"), tmp_path / "out", Plan((DARKER, halved)))
    assert not (tmp_path / "out").exists()


def test_arrays_of_other_severities_do_not_mix(tmp_path):
    source, *_ = write_npz(tmp_path / "set.npz")
    write_corrupted(source, tmp_path / "out", Plan((DARKER,), (1,)))
    with pytest.raises(DataError, match=r"expected severities \[1\], with which .* got \[2\]"):
        write_corrupted(source, tmp_path / "out", Plan((DARKER,), (2,)))


@pytest.mark.parametrize(
    ("make", "plan", "message"),
    [
        (lambda folder: None, {}, r"expected a folder of pictures or an .npz file at .*clean, got nothing there"),
        (
            lambda folder: write(folder / "train" / "cat" / "a.png", 0),
            {},
            "expected the folder of one split, got .*train",
        ),
        (
            lambda folder: write(folder / "a.png", 0, (15, 30)),
            {},
            "expected pictures of at least 16×16 pixels, got 15×30",
        ),
        (
            lambda folder: write(folder / "a.png", 0),
            {"storage": "npy"},
            "expected the format png or jpeg85 for a folder",
        ),
        (
            lambda folder: (write(folder / "a.png", 0), write(folder / "a.jpg", 0)),
            {},
            "expected files of different stems",
        ),
        (
            lambda folder: (folder.mkdir(), (folder / "a.png").write_bytes(b"x")),
            {},
            "expected a readable image in .*a.png",
        ),
    ],
)
def test_sources_that_cannot_be_used(tmp_path, make, plan, message):
    make(tmp_path / "clean")
    with pytest.raises(DataError, match=message) as caught:
        write_corrupted(tmp_path / "clean", tmp_path / "out", Plan((DARKER,), (1,), **plan))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_folders_that_cannot_be_written(tmp_path):
    source = write_clean(tmp_path / "clean")
    with pytest.raises(DataError, match=r"expected a folder outside .*clean"):
        write_corrupted(source, source / "out", Plan((DARKER,), (1,)))
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").touch()
    with pytest.raises(DataError, match=r"expected an empty folder or one with provenance.json at .*taken"):
        write_corrupted(source, tmp_path / "taken", Plan((DARKER,), (1,)))
    npz, *_ = write_npz(tmp_path / "set.npz")
    with pytest.raises(DataError, match=r"expected the format npy and no resize or crop for an .npz"):
        write_corrupted(npz, tmp_path / "out", Plan((DARKER,), (1,), storage="png"))
    np.savez(tmp_path / "small.npz", x_train=np.zeros((2, 8, 8, 3), np.uint8), y_train=np.zeros(2, int))
    with pytest.raises(DataError, match=r"small.npz x_train: expected images of at least 16×16 pixels"):
        write_corrupted(tmp_path / "small.npz", tmp_path / "out", Plan((DARKER,), (1,)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"corruptions": ()}, "expected different corruptions and severities, got"),
        ({"corruptions": (DARKER, DARKER)}, "expected different corruptions and severities"),
        ({"severities": (1, 6)}, "expected a severity from 1 to 5 for darker, got 6"),
        ({"preset": "imagnet"}, "expected the name of a preset, got 'imagnet'; try 'imagenet'"),
        ({"batch_size": 0}, "expected batch_size from 1, got 0"),
    ],
)
def test_plans_that_mean_nothing(arguments, message):
    with pytest.raises(ValueError, match=message):
        Plan(**{"corruptions": (DARKER,), **arguments})


def test_a_file_is_whole_or_absent(tmp_path):
    with pytest.raises(RuntimeError, match="full"), whole(tmp_path / "a" / "b.txt") as beside:
        beside.write_text("half")
        raise RuntimeError("full")
    assert list((tmp_path / "a").iterdir()) == []
