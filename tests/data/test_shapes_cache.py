"""The cache of the shapes data set gives what was drawn, whatever lies in its folder."""

import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from robustlit.data.shapes import ShapesDataset
from robustlit.data.shapes.cache import default_cache_dir


def build(folder, count=6, **options):
    return ShapesDataset("train", count, image_size=16, cache_dir=folder, **options)


def checksum(folder):
    return int(np.sum([item["image"].sum(dtype=np.int64) for item in map(build(folder, 50).__getitem__, range(50))]))


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_a_second_data_set_reads_the_file_of_the_first(tmp_path):
    first = build(tmp_path)
    written = only_file(tmp_path).stat().st_mtime_ns
    second = build(tmp_path)
    assert only_file(tmp_path).stat().st_mtime_ns == written
    assert (first.records == second.records).all()


def test_other_options_have_a_file_of_their_own(tmp_path):
    build(tmp_path)
    for options in ({"seed": 1}, {"texture_correlation": 0.5}, {"background_correlation": 0.5}, {"count": 7}):
        before = len(list(tmp_path.iterdir()))
        build(tmp_path, **options)
        assert len(list(tmp_path.iterdir())) == before + 1
    build(tmp_path, task="segmentation")  # the same pictures
    assert len(list(tmp_path.iterdir())) == before + 1


@pytest.mark.parametrize("damage", ["cut", "empty", "garbage", "other pictures", "other size"])
def test_a_damaged_file_is_drawn_again(tmp_path, damage):
    expected = np.array(build(tmp_path).records)
    path = only_file(tmp_path)
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "garbage":
        path.write_bytes(b"not an array at all" * 10)
    elif damage == "other pictures":
        path.write_bytes(content[:-1000] + bytes(1000))
    else:
        np.save(path, expected[:2])
    assert (build(tmp_path).records == expected).all()
    assert (np.load(path) == expected).all()


def test_two_processes_at_once_draw_what_this_one_draws(tmp_path):
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        first, second = pool.map(checksum, [tmp_path / "shared"] * 2)
    assert first == second == checksum(tmp_path / "own")
    assert only_file(tmp_path / "shared").suffix == ".npy"


def test_without_a_writable_folder_the_pictures_stay_in_memory(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.warns(UserWarning, match="expected a writable cache folder, got .*file") as caught:
        data = build(blocked / "folder")
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)
    assert (data.records == build(tmp_path / "cache").records).all()


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.warns(UserWarning, match="No space left"):
        build(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_default_folder_is_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ShapesDataset("train", 2, image_size=16)
    assert default_cache_dir() == tmp_path / "robustlit" / "shapes"
    assert only_file(default_cache_dir()).name.startswith("train-")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/somewhere")
    assert default_cache_dir() == Path("/somewhere/.cache/robustlit/shapes")
