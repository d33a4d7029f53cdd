"""What the pictures of explanations show, measured in their pixels."""

import numpy as np
import pytest
import torch

from robustlit.panels.colormap import colored, signed_colors
from robustlit.panels.explanation import explanation_panel, pair_panel
from robustlit.panels.explanation_masks import mask_explanation_panel, mask_pair_panel
from robustlit.panels.features import feature_panel
from robustlit.panels.filmstrip import Frame, filmstrip, thinned
from robustlit.panels.filters import filter_panel
from robustlit.panels.maps import difference, glow, hatched, heat
from robustlit.panels.table import Guess, Words, bordered, fitting, room_for_words, table, words_cell
from robustlit.panels.text import GREEN, RED, letters, text_width


def lightness(colors):
    return np.asarray(colors, dtype=float) @ (0.2126, 0.7152, 0.0722)


def words(right, name="cat"):
    return Words("dog", [Guess(name, 0.9, bool(right)), Guess("dog", 0.1, not right)], right)


def test_lightness_only_rises_along_the_colour_map():
    steps = np.diff(lightness(colored(torch.linspace(0, 1, 60)).numpy()))
    assert (steps > 0).all()


def test_signed_colours_are_grey_at_zero_blue_below_and_orange_above():
    low, zero, high = signed_colors(torch.tensor([-1.0, 0.0, 1.0])).tolist()
    assert max(zero) == min(zero)
    assert low[2] > low[0]
    assert high[0] > high[2]


def test_nan_is_black():
    assert colored(torch.tensor([float("nan")])).tolist() == [[0, 0, 0]]


def test_heat_is_brightest_where_the_map_is_largest_and_hatched_where_it_is_zero():
    maps = torch.zeros(2, 16, 16)
    maps[0, 3, 12] = 5e-9  # the scale of the values does not matter
    shown = heat(maps)
    assert shown[0].shape == (128, 128, 3)
    assert np.array_equal(np.unravel_index(lightness(shown[0]).argmax(), (128, 128)), (24, 96))
    assert np.array_equal(shown[1], hatched(128, 128))


def test_one_bright_pixel_does_not_darken_a_heat_map():
    maps = torch.rand(1, 16, 16)
    spike = maps.clone()
    spike[0, 0, 0] = 100
    assert np.abs(heat(maps)[0][64:].astype(int) - heat(spike)[0][64:]).max() < 12


def test_a_signed_map_is_shown_around_grey():
    maps = torch.zeros(1, 16, 16)
    maps[0, 0], maps[0, 1] = 1.0, -1.0
    shown = heat(maps)[0]
    assert shown[100, 5].tolist() == signed_colors(torch.tensor(0.0)).tolist()
    assert shown[2, 5].tolist() == signed_colors(torch.tensor(1.0)).tolist()
    assert shown[10, 5].tolist() == signed_colors(torch.tensor(-1.0)).tolist()


def test_a_glow_leaves_the_image_grey_where_there_is_no_evidence():
    images, maps = torch.rand(1, 3, 32, 32), torch.zeros(1, 32, 32)
    maps[0, 8:16, 8:16] = 1
    shown = glow(images, maps)[0].astype(int)
    away = shown[100:, 100:]
    assert np.ptp(away, axis=2).max() == 0
    assert np.ptp(shown[40:56, 40:56], axis=2).min() > 100  # yellow
    assert np.array_equal(glow(images, -maps)[0], hatched(128, 128))  # nothing positive


def test_a_shared_top_keeps_the_weaker_map_weaker():
    images, maps = torch.full((2, 1, 32, 32), 0.5), torch.ones(2, 32, 32)
    maps[1] /= 2
    strong, weak = glow(images, maps, torch.ones(2))
    assert lightness(strong[64, 64]) > lightness(weak[64, 64])


def test_the_difference_of_equal_maps_is_grey():
    maps = torch.rand(1, 8, 8)
    assert np.unique(difference(maps, maps)[0]).tolist() == [221]
    assert difference(maps, maps * 0)[0][40, 40, 2] > difference(maps, maps * 0)[0][40, 40, 0]  # lost: blue


def test_right_and_wrong_differ_without_colour():
    tile = np.full((64, 64, 3), 128, dtype=np.uint8)
    edges = [bordered(tile, right)[0] for right in (True, False)]
    assert (edges[0] == GREEN).all()
    dashes = (edges[1] == RED).all(axis=1)
    assert 0.3 < dashes.mean() < 0.7
    assert np.array_equal(bordered(tile, None), tile)


@pytest.mark.parametrize("columns", [1, 2, 4])
def test_text_can_be_read_where_the_picture_is_shrunk_to_a_card(columns):
    maps = {f"map_{place}": torch.rand(3, 32, 32) for place in range(columns)}
    picture = explanation_panel(torch.rand(3, 3, 32, 32), maps, [words(True)] * 3, "title", "note")
    _, size = room_for_words(1 + columns, 128)
    assert size >= 11 * picture.shape[1] / 350 - 1
    assert size >= letters(picture.shape[1]) - 1


def test_many_columns_do_not_make_letters_that_hide_the_heads():
    maps = {f"map_{place}": torch.rand(2, 224, 224) for place in range(8)}
    picture = explanation_panel(torch.rand(2, 3, 224, 224), maps, [words(True)] * 2, "title", "note")
    room, size = room_for_words(9, 224)
    assert size == letters(picture.shape[1]) == 36
    assert picture.shape[1] < 9 * 230 + room + 20
    assert text_width("integrated gradients", fitting("integrated gradients", 224, size)) <= 224


def test_a_bar_is_as_long_as_the_probability():
    cell = words_cell(Words("x", [Guess("", 0.5, False)], False), 200, 100, 14)
    bar = (cell[19 + 4] != 255).any(axis=1)
    assert abs(bar[40:].nonzero()[0].max() + 40 - 100) <= 1


def test_no_more_than_eight_rows():
    images, maps = torch.rand(12, 3, 32, 32), {"grad_cam": torch.rand(12, 32, 32)}
    twelve = explanation_panel(images, maps, [words(True)] * 12)
    eight = explanation_panel(images[:8], {"grad_cam": maps["grad_cam"][:8]}, [words(True)] * 8)
    assert np.array_equal(twelve, eight)


def test_no_image_is_one_line():
    none = torch.rand(0, 3, 32, 32)
    with pytest.raises(ValueError, match="expected at least one image, got none"):
        explanation_panel(none, {}, [])


def test_pairs_take_two_rows_and_share_a_scale():
    images, maps = torch.full((1, 1, 32, 32), 0.5), torch.ones(1, 32, 32)
    both = [words(True)]
    picture = pair_panel((images, maps, both), (images, maps / 2, both), [0.5], ["cat"])
    assert 2 * 128 < picture.shape[0] < 4 * 128
    column = picture[:, 200]  # through both maps
    strong, weak = glow(images, maps)[0][64, 64], glow(images, maps / 2, torch.ones(1))[0][64, 64]
    places = [(column == color).all(axis=1).nonzero()[0] for color in (strong, weak)]
    assert [len(place) for place in places] == [128, 128]
    assert places[0].max() < places[1].min()


def masks(*values):
    return torch.tensor(values)[:, None, None].expand(-1, 32, 48)


def test_errors_of_a_mask_are_red_and_ignored_pixels_white():
    truth = masks(0, 2).clone()
    picture = mask_explanation_panel(
        torch.zeros(2, 3, 32, 48), truth, masks(1, 1), {"grad_cam": torch.rand(2, 32, 48)}, ["a", "b"], ["a", "b"],
        ignore_index=2,
    )  # fmt: skip
    red = (picture == (214, 39, 40)).all(axis=2)
    assert abs(red.sum() / (128 * 192) - 1) < 0.01


def test_masks_without_truth_have_two_columns_less():
    images, maps = torch.zeros(1, 3, 32, 48), {"grad_cam": torch.rand(1, 32, 48)}
    known = mask_explanation_panel(images, masks(0), masks(0), maps, ["a"], ["a", "b"])
    unknown = mask_explanation_panel(images, None, masks(0), maps, ["a"], ["a", "b"])
    assert known.shape[1] - unknown.shape[1] == 2 * (192 + 6)


def test_mask_pairs():
    images, maps = torch.zeros(1, 3, 32, 48), torch.rand(1, 32, 48)
    picture = mask_pair_panel(
        (images, masks(0), maps), (images, masks(1), maps), masks(0), [1.0], ["fog 3"], ["a", "b"]
    )
    red = (picture == (214, 39, 40)).all(axis=2)
    assert abs(red.sum() / (128 * 192) - 1) < 0.01  # only the changed image is wrong


def test_filters_have_one_scale_and_dead_ones_are_grey():
    weight = torch.zeros(3, 3, 3, 3)
    weight[0], weight[1] = 1.0, 0.5
    picture = filter_panel(weight)
    values = set(map(tuple, picture[-20, ::6].tolist()))
    assert {(255, 255, 255), (191, 191, 191), (128, 128, 128)} <= values
    assert filter_panel(torch.rand(500, 1, 3, 3)).shape[0] < 9 * 48
    with pytest.raises(ValueError, match="expected filters K×C×h×w"):
        filter_panel(torch.rand(3, 3))


def test_channels_of_features_have_one_scale_over_the_images():
    answers = torch.zeros(2, 1, 4, 4)
    answers[0] = 1.0
    picture = feature_panel(torch.zeros(2, 3, 32, 32), answers)
    tiles = [picture[-200, 200].tolist(), picture[-60, 200].tolist()]
    assert tiles == [[253, 231, 37], [68, 1, 84]]
    with pytest.raises(ValueError, match="expected maps N×K×h×w of 2 images"):
        feature_panel(torch.zeros(2, 3, 32, 32), torch.zeros(2, 5))


def test_a_filmstrip_keeps_its_width_and_two_rows():
    tile = np.zeros((128, 128, 3), dtype=np.uint8)
    strips = [filmstrip(tile, [Frame(e, tile, "0.9 cat", True) for e in range(n)]) for n in (1, 7, 30)]
    assert len({strip.shape[1] for strip in strips}) == 1
    assert strips[1].shape == strips[2].shape


@pytest.mark.parametrize("count", [3, 7, 8, 50, 300])
def test_kept_epochs_are_spread_over_their_logarithm(count):
    kept = []
    for epoch in range(count):
        kept = thinned([*kept, epoch])
    assert kept[0] == 0
    assert kept[-1] == count - 1
    assert len(kept) == min(count, 7)
    if count >= 50:
        gaps = np.diff(np.log1p(kept))
        assert gaps.max() < 4 * gaps[:-1].min()


def test_a_column_is_as_wide_as_its_widest_cell():
    small, wide = np.zeros((10, 20, 3), np.uint8), np.zeros((10, 60, 3), np.uint8)
    assert table(["a", ""], [[small, wide], [small, small]], 13).shape[1] == 20 + 60 + 3 * 6
