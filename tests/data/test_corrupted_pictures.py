"""Pictures that are to be corrupted: found, read, scaled and put together by size."""

import numpy as np
import pytest
from PIL import Image

from robustlit.data import DataError
from robustlit.data.corrupted import Plan, write_corrupted
from robustlit.data.corrupted.writing.pictures import batches, find_pictures, read_picture
from tests.data.corrupted_sets import DARKER, write_clean


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
