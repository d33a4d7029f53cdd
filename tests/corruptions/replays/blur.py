"""The blurs' draws as the published generators make them, from their numpy stream."""

import torch

from robustlit.corruptions.base import Draws
from robustlit.corruptions.blur.glass_blur import GlassBlurDraws
from robustlit.corruptions.blur.motion_blur import MotionBlurDraws


def nothing(stream, image, level):
    return Draws()


def glass_blur(stream, image, level):
    reach, passes = int(level[1]), int(level[2])
    inside = [length - 2 * reach for length in image.shape[:2]]
    pairs = stream.randint(-reach, reach, size=(passes, *inside, 2))  # the loop runs from the bottom right
    right, down = torch.from_numpy(pairs[:, ::-1, ::-1].copy())[None].unbind(-1)
    return GlassBlurDraws(down=down, right=right)


def motion_blur(stream, image, level):
    return MotionBlurDraws(torch.tensor([stream.uniform(-45, 45)], dtype=torch.float64))


REPLAYS = {
    "defocus_blur": nothing,
    "glass_blur": glass_blur,
    "motion_blur": motion_blur,
    "zoom_blur": nothing,
    "gaussian_blur": nothing,
}
