"""Files of every kind become H×W×C arrays as docs/data.md says."""

import numpy as np
import pytest
from PIL import Image

from robustlit.data.errors import DataError, UnreadableImageError
from robustlit.data.image_files import ImageFiles, find_images, read_image, read_mask

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 7), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (5, 7), dtype=np.uint16)


def save(folder, image, name="a.png", **options):
    path = folder / name
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)
    return path


def test_grey_and_colour(tmp_path):
    grey, colour = save(tmp_path, GREY, "grey.png"), save(tmp_path, COLOUR, "colour.png")
    np.testing.assert_array_equal(read_image(grey, 1)[..., 0], GREY)
    np.testing.assert_array_equal(read_image(grey, 3), np.stack([GREY] * 3, axis=2))
    np.testing.assert_array_equal(read_image(colour, 3), COLOUR)
    luma = COLOUR @ [0.299, 0.587, 0.114]
    assert read_image(colour, 1).shape == (5, 7, 1)
    assert np.abs(read_image(colour, 1)[..., 0] - luma).max() <= 1


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_grey_keeps_its_depth(tmp_path, suffix):
    path = save(tmp_path, DEEP, f"a.{suffix}")
    image = read_image(path, 1)
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image[..., 0], DEEP)
    np.testing.assert_array_equal(read_image(path, 3)[..., 2], DEEP)


def test_transparent_pixels_are_laid_on_white(tmp_path):
    alpha = np.zeros((5, 7), np.uint8)
    alpha[:, 3] = 255
    alpha[:, 4] = 51  # a fifth
    image = read_image(save(tmp_path, np.dstack([COLOUR, alpha])))
    np.testing.assert_array_equal(image[:, :3], 255)
    np.testing.assert_array_equal(image[:, 3], COLOUR[:, 3])
    assert np.abs(image[:, 4] - (0.2 * COLOUR[:, 4] + 0.8 * 255)).max() <= 1.01


def test_palette_becomes_colour(tmp_path):
    palette = Image.fromarray(COLOUR).quantize(8)
    np.testing.assert_array_equal(read_image(save(tmp_path, palette)), np.asarray(palette.convert("RGB")))


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it rotated by 90° clockwise
    image = read_image(save(tmp_path, COLOUR, exif=exif))
    np.testing.assert_array_equal(image, np.rot90(COLOUR, -1))


def test_float_pixels_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"expected 8-bit or 16-bit pixels in .*a.tif, got F; try"):
        read_image(save(tmp_path, GREY.astype(np.float32), "a.tif"))


@pytest.mark.parametrize("content", [b"", b"no image", "half"])
def test_broken_files_are_named(tmp_path, content):
    path = tmp_path / "broken.png"
    if content == "half":
        whole = save(tmp_path, RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)).read_bytes()
        content = whole[: len(whole) // 2]
    path.write_bytes(content)
    with pytest.raises(
        UnreadableImageError, match=r"expected a readable image in .*broken.png, .*on_bad_image=skip"
    ) as e:
        read_image(path)
    assert "\n" not in str(e.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UnreadableImageError, match=r"readable image in .*gone.png"):
        read_image(tmp_path / "gone.png")


def test_masks_keep_their_values(tmp_path):
    np.testing.assert_array_equal(read_mask(save(tmp_path, GREY)), GREY)
    np.testing.assert_array_equal(read_mask(save(tmp_path, DEEP, "deep.png")), DEEP)
    palette = Image.fromarray(GREY % 4).convert("P")
    palette.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    np.testing.assert_array_equal(read_mask(save(tmp_path, palette, "palette.png")), GREY % 4)
    np.testing.assert_array_equal(read_mask(save(tmp_path, GREY > 99, "bits.png")), GREY > 99)


def test_colour_masks_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"expected class indices in mask .*a.png, got RGB pixels; try"):
        read_mask(save(tmp_path, COLOUR))


def test_mask_of_another_size_names_both_files(tmp_path):
    image, mask = save(tmp_path, COLOUR, "image.png"), save(tmp_path, GREY[:4], "mask.png")
    with pytest.raises(DataError, match=r"got 5×7 in .*image.png and 4×7 in .*mask.png"):
        ImageFiles([image], [mask])[0]


def test_empty_and_missing_folders(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(DataError, match=r"expected images in .*, got an empty folder; try another path"):
        find_images(tmp_path)
    with pytest.raises(DataError, match=r"expected a folder at .*gone, got nothing there; try another path"):
        find_images(tmp_path / "gone")
