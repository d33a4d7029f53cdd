"""Reinhard's colour transfer against the paper's steps in numpy, pixel by pixel in float64."""

import numpy as np

from robustlit.augmentations.reinhard import map_between, opponent_moments, reinhard
from tests.augmentations.style_cases import pictures

TO_LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
TO_AXES = np.diag([1 / np.sqrt(3), 1 / np.sqrt(6), 1 / np.sqrt(2)]) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])


def to_axes(image: np.ndarray) -> np.ndarray:
    pixels = np.maximum(image.reshape(3, -1).astype(np.float64), 1 / 255)
    return TO_AXES @ np.log10(TO_LMS @ pixels)


def by_the_paper(image: np.ndarray, style: np.ndarray) -> np.ndarray:
    own, other = to_axes(image), to_axes(style)
    centred = own - own.mean(1, keepdims=True)
    moved = centred * (other.std(1) / own.std(1))[:, None] + other.mean(1, keepdims=True)
    colours = np.linalg.inv(TO_LMS) @ 10 ** (np.linalg.inv(TO_AXES) @ moved)
    return colours.reshape(image.shape)


def test_equals_the_paper_step_by_step() -> None:
    images, styles = pictures(5), pictures(5)
    result = reinhard(images, map_between(opponent_moments(images), opponent_moments(styles))).numpy()
    for i in range(5):
        np.testing.assert_allclose(result[i], by_the_paper(images[i].numpy(), styles[i].numpy()), atol=2e-4)


def test_moments_are_those_of_the_axes() -> None:
    images = pictures(3)
    found = opponent_moments(images).numpy() / np.log(10)
    for i in range(3):
        axes = to_axes(images[i].numpy())
        np.testing.assert_allclose(found[i, :, 0], axes.mean(1), atol=1e-4)
        np.testing.assert_allclose(found[i, :, 1], axes.std(1), atol=1e-4)
