"""What a picture of the shapes data set shows is what its description says."""

import math

import numpy as np
import pytest

from robustlit.data.shapes.backgrounds import BACKGROUNDS
from robustlit.data.shapes.patterns import noise, stripes
from robustlit.data.shapes.render import Content, render
from robustlit.data.shapes.silhouettes import SHAPES, coverage
from robustlit.data.shapes.textures import TEXTURES

SIZE, RADIUS, ANGLE, CENTRE = 64, 0.3, 0.5, (0.45, 0.55)


def pixels():
    """Pixel centres in the outline's own coordinates: about the centre, turned back, in units of the radius."""
    ticks = (np.arange(SIZE) + 0.5) / SIZE
    x, y = np.meshgrid(ticks - CENTRE[0], ticks - CENTRE[1])
    cos, sin = math.cos(-ANGLE), math.sin(-ANGLE)
    return (x * cos - y * sin) / RADIUS, (x * sin + y * cos) / RADIUS


def inside_polygons(outlines, x, y):
    """Even-odd rule by ray casting, a second implementation of filling."""
    inside = np.zeros(x.shape, dtype=bool)
    for outline in outlines:
        for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
            if y0 != y1:
                crosses = (y < y0) != (y < y1)
                inside ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside


@pytest.mark.parametrize("name", SHAPES)
def test_coverage_is_the_outline_placed_turned_and_scaled(name):
    mask = coverage(SHAPES[name], SIZE, CENTRE, RADIUS, ANGLE) > 0.5
    truth = inside_polygons(SHAPES[name], *pixels())
    assert (mask & truth).sum() / (mask | truth).sum() > 0.93


@pytest.mark.parametrize("name", SHAPES)
def test_coverage_keeps_its_place_at_every_size(name):
    small = coverage(SHAPES[name], 32, CENTRE, RADIUS, ANGLE)
    large = coverage(SHAPES[name], 128, CENTRE, RADIUS, ANGLE).reshape(32, 4, 32, 4).mean(axis=(1, 3))
    assert np.abs(small - large).max() < 0.35  # the thin end of a tip
    assert np.abs(small - large).mean() < 0.02


def test_edges_of_a_shape_are_antialiased():
    cover = coverage(SHAPES["disc"], SIZE, CENTRE, RADIUS, 0.0)
    assert cover.min() == 0
    assert cover.max() == 1
    assert 40 < ((cover > 0.05) & (cover < 0.95)).sum() < 200  # about one pixel along the circumference of 106


@pytest.mark.parametrize("shape", range(10))
def test_every_object_is_large_and_whole(shape):
    for seed in range(40):
        _, mask = render(Content(shape, 0, 0), seed, SIZE)
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        side = max(np.ptp(rows), np.ptp(columns)) + 1
        assert 0.25 * SIZE <= side <= 0.76 * SIZE
        assert mask.mean() > 0.02
        assert not (mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def test_the_object_stands_out_from_its_background():
    """The object's two tones are brighter or darker than the background along its rim, seen through grey glasses."""
    for index in range(100):
        image, mask = render(Content(index % 10, index // 10, index % 7), index, SIZE)
        grey = image @ np.array([0.299, 0.587, 0.114])
        ground = np.median(grey[~mask])
        assert np.percentile(np.abs(grey[mask] - ground), 40) > 15, index


@pytest.mark.parametrize("kind", ["texture", "background"])
def test_families_look_different(kind):
    """The same scene with each family: no two pictures are alike where the family shows."""
    contents = [Content(1, k, 0) if kind == "texture" else Content(1, 0, k) for k in range(10)]
    pictures = [render(content, 3, SIZE) for content in contents]
    mask = pictures[0][1] if kind == "texture" else ~pictures[0][1]
    for i in range(10):
        for j in range(i):
            difference = np.abs(pictures[i][0].astype(int) - pictures[j][0].astype(int))[mask].mean()
            assert difference > (20 if kind == "texture" else 3), (i, j)


@pytest.mark.parametrize("texture", range(10))
@pytest.mark.parametrize("background", [0, 4, 6])
def test_a_scene_is_the_same_at_every_size(texture, background):
    content = Content(2, texture, background)
    small, large = render(content, 11, 64)[0], render(content, 11, 256)[0]
    shrunk = large.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - small).mean() < 6


def test_every_family_is_rendered():
    assert len(TEXTURES) == len(BACKGROUNDS) == len(SHAPES) == 10
    for k in range(10):
        image, _ = render(Content(k, k, k), k, 32)
        assert image.std() > 5


def test_stripes_take_their_share():
    x = np.linspace(0, 20, 20001, dtype=np.float32)
    for share in (0.3, 0.5, 0.7):
        assert stripes(x, 0.1, share).mean() == pytest.approx(share, abs=0.01)


def test_noise_is_standardised_and_drawn_alike_at_every_size():
    small, large = (noise(np.random.default_rng(0), size, cells=4, octaves=2) for size in (32, 128))
    assert small.mean() == pytest.approx(0, abs=1e-4)
    assert small.std() == pytest.approx(1, abs=1e-3)
    assert np.corrcoef(small.ravel(), large.reshape(32, 4, 32, 4).mean(axis=(1, 3)).ravel())[0, 1] > 0.98
