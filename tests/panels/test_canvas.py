import numpy as np
import pytest

from robustlit.panels.canvas import Canvas
from robustlit.panels.text import PAPER

BLUE = (0, 0, 200)


def test_lines_discs_and_areas_lie_where_they_should():
    canvas = Canvas(60, 40)
    canvas.line([(5, 10.5), (50, 10.5)], BLUE, 3)
    canvas.disc((30, 25), 4, BLUE)
    canvas.area([(45, 20), (59, 20), (59, 34), (45, 34)], BLUE, 0.5)
    picture = canvas.picture()
    assert tuple(picture[10, 20]) == BLUE
    assert tuple(picture[25, 30]) == BLUE
    assert tuple(picture[27, 52]) == pytest.approx((127, 127, 227), abs=1)
    assert {tuple(picture[at]) for at in ((5, 20), (25, 38), (38, 52))} == {PAPER}


def test_dashes_are_half_of_the_line():
    canvas = Canvas(90, 9)
    canvas.line([(1, 4.5), (81, 4.5)], BLUE, 1, dashed=True)
    inked = (canvas.picture()[4] != PAPER[0]).any(1)
    assert inked.sum() == pytest.approx(40, abs=12)
    assert (np.diff(inked.astype(int)) == 1).sum() == 10


def edges(align, x=100):
    canvas = Canvas(200, 30)
    canvas.text((x, 15), "fog 62", align=align)
    columns = np.flatnonzero((canvas.picture() < 128).any((0, 2)))
    return columns[0], columns[-1]


def test_text_is_aligned_and_stays_on_the_sheet():
    assert edges(0.0)[0] == pytest.approx(101, abs=2)
    assert edges(1.0)[1] == pytest.approx(98, abs=3)
    assert sum(edges(0.5)) / 2 == pytest.approx(100, abs=2)
    assert edges(1.0, x=10)[0] >= 0
    assert edges(0.0, x=185)[1] < 200  # shortened
    rows = Canvas(200, 30)
    rows.text((10, 15), "x")
    inked = np.flatnonzero((rows.picture() < 128).any((1, 2)))
    assert inked.mean() == pytest.approx(15, abs=3)


def test_letters_let_the_drawing_through():
    canvas = Canvas(60, 30)
    canvas.area([(0, 0), (60, 0), (60, 30), (0, 30)], BLUE)
    canvas.text((5, 15), "I")
    assert tuple(canvas.picture()[15, 50]) == BLUE
    assert (canvas.picture() == BLUE).all(-1).mean() > 0.9
