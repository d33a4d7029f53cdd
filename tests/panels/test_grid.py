import numpy as np
import pytest
import torch
from PIL import Image

from robustlit.panels import grid, text_strip, to_pictures
from robustlit.panels.grid import below, display_size, frame
from robustlit.panels.text import PAPER, text_width, wrapped


def test_pixels_of_small_images_become_equal_squares():
    images = torch.rand(2, 3, 32, 32)
    pictures = to_pictures(images)
    expected = (images * 255).round().byte().permute(0, 2, 3, 1).numpy().repeat(4, axis=1).repeat(4, axis=2)
    assert len(pictures) == 2
    assert np.array_equal(np.stack(pictures), expected)


def test_large_images_shrink_to_their_local_means():
    checker = (torch.arange(512)[:, None] + torch.arange(512)) % 2
    (picture,) = to_pictures(checker.float().expand(1, 3, 512, 512))
    assert picture.shape == (256, 256, 3)
    assert set(np.unique(picture)) == {128}  # round(0.5 * 255)


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((8, 8), (128, 128)),
        ((100, 100), (200, 200)),
        ((224, 224), (224, 224)),
        ((2, 200), (4, 400)),
        ((1000, 2), (256, 1)),
    ],
)
def test_display_sizes(size, shown):
    assert display_size(*size) == shown


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_channel_counts(channels):
    images = torch.arange(channels).view(1, -1, 1, 1).expand(1, channels, 128, 128) / 4
    expected = {1: (0, 0, 0), 2: (32, 32, 32), 4: (0, 64, 128)}[channels]
    assert tuple(to_pictures(images)[0][5, 5]) == expected


def test_values_that_are_no_pixels_are_clipped():
    images = torch.tensor([-1.0, 2.0, float("nan")]).view(1, 3, 1, 1).expand(1, 3, 128, 128)
    assert tuple(to_pictures(images)[0][0, 0]) == (0, 255, 0)


def test_grid_puts_pictures_row_by_row():
    pictures = [np.full((10, 20, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = grid(pictures, columns=2)
    found = np.array([[sheet[top + 5, left + 5, 0] for left in (6, 32)] for top in (6, 22)])
    assert found.tolist() == [[10, 20], [30, PAPER[0]]]
    assert (sheet == 30).sum() == 10 * 20 * 3


def test_frame_and_below_keep_the_picture():
    picture = np.random.default_rng(0).integers(0, 255, (5, 7, 3), np.uint8)
    framed = frame(picture, (1, 2, 3), width=2)
    assert np.array_equal(framed[2:-2, 2:-2], picture)
    assert tuple(framed[0, 0]) == (1, 2, 3)
    stacked = below(framed, picture)
    assert stacked.shape == (14, 11, 3)
    assert np.array_equal(stacked[9:, :7], picture)


def ink(strip):
    return (strip != 255).any(axis=(0, 2)).nonzero()[0]


def test_text_is_drawn_and_cut_where_it_does_not_fit():
    assert ink(text_strip("truck 0.93", 200)).max() <= text_width("truck 0.93")
    long = text_strip("a very long class name indeed", 80)
    assert long.shape[1] == 80
    assert ink(long).max() < 80
    assert text_strip("wide", 1).shape[1] == 1


@pytest.mark.parametrize("letter", "·…%→")
def test_which_characters_the_font_has(letter):
    # it draws every character it lacks as the same box
    is_missing = np.array_equal(text_strip(letter, 30), text_strip("\uffff", 30))
    assert is_missing == (letter == "→")


def test_accents_are_taken_off_rather_than_drawn_as_boxes():
    assert np.array_equal(text_strip("Bäckerei café", 200), text_strip("Backerei cafe", 200))


def test_words_are_broken_into_lines_that_fit():
    words = ["road", "sky", "pedestrian", "x" * 100, "car"]
    lines = list(wrapped(words, 100, extra=10))
    assert [position for line in lines for position in line] == [0, 1, 2, 3, 4]
    for line in lines:
        assert len(line) == 1 or sum(text_width(words[position]) + 10 for position in line) <= 100


def test_pictures_can_be_saved(tmp_path):
    Image.fromarray(grid(to_pictures(torch.rand(3, 1, 9, 9)), 2)).save(tmp_path / "grid.png")
    assert Image.open(tmp_path / "grid.png").mode == "RGB"
