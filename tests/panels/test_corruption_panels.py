"""Heat map, curves, radar and worst cells: colours and lines where the scores put them, and sizes that can be read."""

import numpy as np
import pytest
import torch

from robustlit.corruptions import BAR_IMAGENET, COMMON, EXTRA
from robustlit.panels import ExampleCell, heat_map, radar, severity_curves, worst_cells
from robustlit.panels.colors import LINES, viridis
from robustlit.panels.text import GREEN, RED

NAN = float("nan")


def share(picture, color):
    return float((picture == np.array(color)).all(-1).mean())


def cells(picture, rows, columns):
    """Colours of the cells of the last rows; the last column, the mean, is set apart by 7 pixels."""
    top, last = picture.shape[0] - 7 - 20 * rows, row_end(picture) - 34
    lefts = [last - 7 - 34 * place for place in range(columns - 1, 0, -1)] + [last]
    return [[tuple(picture[top + 20 * row + 1, left + 1].tolist()) for left in lefts] for row in range(rows)]


def row_end(picture):
    """Where the last column of coloured cells ends, its white edge included."""
    band = picture[-7 - 19 : -7]
    return int(np.flatnonzero((band != 255).any((0, 2)))[-1]) + 2


def test_heat_map_has_a_colour_a_score_and_the_mean_at_the_end():
    picture = heat_map({"fog": {1: 0.8, 2: 0.4}, "snow": {1: 1.0, 2: 0.0}})
    found = cells(picture, rows=2, columns=3)
    expected = [[viridis(score) for score in row] for row in ([1.0, 0.0, 0.5], [0.8, 0.4, 0.6])]
    assert found == [[tuple(color.tolist()) for color in row] for row in expected]  # snow comes before fog


def test_heat_map_takes_no_mean_where_a_cell_is_missing():
    def hatched(scores):
        return int((heat_map(scores) == (205, 207, 211)).all(-1).sum())

    lacking_one = hatched({"fog": {1: 0.8, 2: 0.4}, "snow": {1: 0.9}})  # that cell and its row's mean
    lacking_two = hatched({"fog": {1: 0.8}, "snow": {2: 0.9}})  # two cells and two means
    assert hatched({"fog": {1: 0.8, 2: 0.4}}) == 0
    assert 0 < lacking_one == lacking_two / 2
    assert share(heat_map({"fog": {1: 0.8, 2: 0.4}}), viridis(0.6)) > 0


def test_severities_in_between_have_a_column_and_enter_no_mean():
    assert share(heat_map({"fog": {1: 0.8, 2.5: 0.0, 3: 0.4}}), viridis(0.6)) > 0


def test_nan_is_grey_and_one_severity_has_no_mean():
    assert share(heat_map({"fog": {3: NAN, 4: 0.5}}), (190, 190, 190)) > 0
    assert heat_map({"fog": {3: 0.5}}).shape[0] == heat_map({"fog": {3: 0.5, 4: 0.5}}).shape[0]
    assert (
        share(heat_map({"fog": {3: 0.5}}), viridis(0.5)) < share(heat_map({"fog": {3: 0.5, 4: 0.5}}), viridis(0.5)) / 2
    )


def full(names):
    return {name: {severity: 0.9 - 0.1 * severity for severity in range(1, 6)} for name in names}


@pytest.mark.parametrize("names", [COMMON, EXTRA, (*COMMON, *EXTRA, *BAR_IMAGENET)])
def test_pictures_fit_the_card_of_tensorboard(names):
    scores = full(names)
    means = dict.fromkeys(names, 0.6)
    pictures = [heat_map(scores, "t", "n"), severity_curves(scores, 0.95, "t", "n"), radar(means, 0.95, "t", "n")]
    for picture in pictures:
        assert picture.dtype == np.uint8
        assert 330 <= picture.shape[1] <= 360
        assert picture.shape[0] <= 1000


def test_titles_and_notes_are_drawn():
    for draw in (heat_map, lambda *args: severity_curves(args[0], 0.9, *args[1:])):
        bare = draw(full(COMMON))
        assert not np.array_equal(draw(full(COMMON), "Epoch 3")[: bare.shape[0]], bare)
        assert draw(full(COMMON), "Epoch 3", "n = 1000").shape[0] > bare.shape[0]


def line_height(score, severity=3):
    """Where the line of the only corruption passes a severity: its middle row, from the top."""
    picture = severity_curves({"fog": {severity: score}}, 0.5)
    column = picture[:, round(30 + 160 * severity / 5) - 1]
    return float(np.flatnonzero((np.abs(column.astype(int) - LINES[0]) < 30).all(-1)).mean())


def test_curves_pass_through_the_scores():
    zero, half, one = (line_height(score) for score in (0.0, 0.5, 1.0))
    assert one < half < zero
    assert zero - one == pytest.approx(74, abs=1.5)  # the height of a chart
    assert half == pytest.approx((zero + one) / 2, abs=1)


def test_curves_leave_out_nan():
    with_nan = severity_curves({"fog": {1: 0.8, 2: NAN, 3: 0.6}}, 0.9)
    assert np.array_equal(with_nan, severity_curves({"fog": {1: 0.8, 3: 0.6}}, 0.9))
    assert severity_curves({"fog": {1: NAN}}, NAN).shape[1] == 348


def reach(score, clean=0.9):
    """How far up the profile of equal scores reaches from the middle, in pixels."""
    picture = radar({str(place): score for place in range(8)}, clean)
    inked = (np.abs(picture.astype(int) - LINES[0]) < 40).all(-1)
    columns = np.flatnonzero(inked.any(0))
    return (columns[-1] - columns[0]) / 2


def test_radar_reaches_as_far_as_the_score():
    # spokes end at 22.5 degrees: the widest is cos 22.5 of the radius, and the dots add 2.5 pixels
    for score in (0.25, 0.5, 1.0):
        assert reach(score) == pytest.approx(106 * score * np.cos(np.pi / 8) + 2.5, abs=1.5)
    assert reach(1.7) == reach(1.0)
    assert reach(NAN) == reach(0.0)


def test_radar_shows_the_clean_score():
    scores = dict.fromkeys(COMMON, 0.5)
    assert not np.array_equal(radar(scores, 0.9, note="n"), radar(scores, 0.7, note="n"))
    assert radar(scores, NAN).shape == radar(scores, 0.9).shape


def example(label, score, side=32, dtype=torch.uint8, images=2):
    clean, corrupted = torch.full((images, 3, side, side), 100), torch.full((images, 3, side, side), 200)
    clean, corrupted = (clean.byte(), corrupted.byte()) if dtype == torch.uint8 else (clean / 255, corrupted / 255)
    return ExampleCell(label, 5, score, clean, corrupted, ["cat", "dog"], ["cat", "ship"])


def test_worst_cells_show_both_images_and_frame_right_and_wrong():
    picture = worst_cells([example("fog", 0.2)])
    assert (picture == 100).all(-1).sum() == (picture == 200).all(-1).sum() == 2 * 128 * 128
    frame = (picture == GREEN).all(-1).sum(), (picture == RED).all(-1).sum()
    assert min(frame) > 4 * 128 * 3
    assert np.array_equal(picture, worst_cells([example("fog", 0.2, dtype=torch.float32)]))


def test_the_lowest_scores_come_first_and_six_are_drawn():
    two = [example("fog", 0.9), example("snow", 0.1)]
    assert np.array_equal(worst_cells(two), worst_cells(two[::-1]))
    alone = worst_cells([two[1]])
    assert np.array_equal(worst_cells(two)[: alone.shape[0]], alone)
    many = [example("fog", place / 10) for place in range(9)]
    assert np.array_equal(worst_cells(many), worst_cells(many[:6]))


def test_one_image_and_grey_images_are_fine():
    single = example("fog", 0.2, images=1)
    assert (worst_cells([single]) == 200).all(-1).sum() == 128 * 128
    grey = single._replace(clean=single.clean[:, :1], corrupted=single.corrupted[:, :1])
    assert np.array_equal(worst_cells([grey]), worst_cells([single]))


@pytest.mark.parametrize("draw", [heat_map, lambda scores: severity_curves(scores, 0.9), worst_cells])
def test_nothing_to_draw_is_an_error(draw):
    with pytest.raises(ValueError, match="at least one cell, got none"):
        draw({})
    with pytest.raises(ValueError, match="at least 3 corruptions, got 2"):
        radar({"fog": 0.5, "snow": 0.5}, 0.9)


def test_a_long_note_goes_on_below_and_is_not_cut():
    words = [f"condition {place}" for place in range(9)]
    short, long = (heat_map(full(COMMON), "t", " · ".join(words[:count])) for count in (1, 9))
    lines = (len(long) - len(short)) / 18 + 1
    assert lines == -(-9 // 3)  # three of these conditions fit in a line
