import numpy as np
import pytest

from robustlit.panels.colors import LINES, ink_on, viridis


def contrast(first, second):
    """Contrast ratio of two colours by WCAG 2."""
    lights = []
    for color in (first, second):
        linear = np.where(
            np.array(color) <= 10, np.array(color) / 3294.6, ((np.array(color) / 255 + 0.055) / 1.055) ** 2.4
        )
        lights.append(linear @ (0.2126, 0.7152, 0.0722))
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_published_colors_of_viridis():
    assert viridis([0.25, 0.5]).tolist() == pytest.approx(np.array([(59, 82, 139), (33, 145, 140)]), abs=2)


def test_lightness_rises_throughout_so_that_no_hue_is_needed():
    lightness = viridis(np.linspace(0, 1, 101)) @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(lightness) > 0).all()


def test_values_outside_have_the_colour_of_the_end():
    assert viridis([-1, 2]).tolist() == viridis([0, 1]).tolist()


def test_letters_can_be_read_on_every_colour():
    assert min(contrast(color, ink_on(color)) for color in viridis(np.linspace(0, 1, 101))) > 3.8


def test_lines_can_be_read_on_paper_and_told_apart():
    assert min(contrast(color, (255, 255, 255)) for color in LINES) > 3.5
    distances = [np.linalg.norm(np.subtract(a, b)) for i, a in enumerate(LINES) for b in LINES[:i]]
    assert min(distances) > 50
