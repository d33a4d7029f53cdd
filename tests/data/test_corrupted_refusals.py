"""What cannot be corrupted or written is refused, with nothing written."""

import numpy as np
import pytest

from robustlit.corruptions import CustomCorruption
from robustlit.data import DataError
from robustlit.data.corrupted import Plan, write_corrupted
from tests.data.corrupted_sets import DARKER, write, write_clean, write_npz


def test_what_cannot_work_fails_before_anything_is_written(tmp_path):
    halved = CustomCorruption(lambda images, severity, seeds: images[:, :, ::2], name="halved")
    with pytest.raises(ValueError, match="expected halved to return the shape"):
        write_corrupted(write_clean(tmp_path / "clean"), tmp_path / "out", Plan((DARKER, halved)))
    assert not (tmp_path / "out").exists()


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
