"""The weather's draws as the published generators make them, from their numpy stream."""

import numpy as np
import torch

from robustlit.corruptions.ops.plasma import plasma_draws, plasma_size
from robustlit.corruptions.weather.fog import FogDraws


def fog(stream, image, level):
    count = plasma_draws(plasma_size(*image.shape[:2]))
    return FogDraws(torch.from_numpy(stream.random_sample(count).astype(np.float32))[None])


REPLAYS = {"fog": fog}
