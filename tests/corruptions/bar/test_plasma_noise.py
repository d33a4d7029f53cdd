import math

import torch

from robustlit.corruptions import corrupt
from robustlit.corruptions.bar.plasma_noise import plasma


def test_colours_at_every_pixel() -> None:
    images = torch.zeros(2, 3, 16, 21)
    parameters = [(3.0, 4, 0.6, 2.5), (11.0, 6, 0.9, 1.75)]
    time, warps, sharpness, scale = (torch.tensor(values) for values in zip(*parameters, strict=True))
    colours = plasma(images, time, warps, sharpness, scale)
    for sample, (t, number, sharp, size) in enumerate(parameters):
        for row in range(0, 16, 3):
            for column in range(0, 21, 2):
                x, y, fine, slow, reach = column / size, row / size, 1.0, 1.0, 1.0
                for _ in range(number):
                    right, down = math.cos(y * fine + t / slow) / reach, math.sin(x * fine + t / slow) / reach
                    x, y = x + right - 0.3 * down, y + down + 0.3 * right
                    fine, slow, reach = fine * 1.93, slow * 1.15, reach * (2.25 - sharp)
                expected = (math.sin(x - t), math.sin((x + y + math.sin(t)) / 2), math.sin(y + t))
                torch.testing.assert_close(colours[sample, :, row, column], torch.tensor(expected), atol=2e-3, rtol=0)


def test_a_grey_image_gets_the_luma_of_the_plasma() -> None:
    grey = torch.full((2, 1, 32, 32), 0.5)
    color = corrupt(grey.expand(-1, 3, -1, -1), "plasma_noise", 3, quantize=False)
    luma = (color * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    torch.testing.assert_close(corrupt(grey, "plasma_noise", 3, quantize=False), luma)
