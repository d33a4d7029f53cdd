"""The numpy draws of the published generator's digital corruptions and of brightness, in its order."""

from collections.abc import Callable

import numpy as np
import torch

from robustlit.corruptions.base import Draws, Level
from robustlit.corruptions.digital.elastic_transform import ElasticDraws


def _elastic_transform(stream: np.random.RandomState, image: np.ndarray, level: Level) -> ElasticDraws:
    jitter = stream.uniform(-level[2], level[2], size=(3, 2)).astype(np.float32)
    fields = np.stack([stream.uniform(-1, 1, size=image.shape[:2]) for _ in range(2)])
    return ElasticDraws(torch.from_numpy(jitter)[None], torch.from_numpy(fields)[None].float())


def _nothing(stream: np.random.RandomState, image: np.ndarray, level: Level) -> Draws:
    return Draws()


REPLAYS: dict[str, Callable[[np.random.RandomState, np.ndarray, Level], Draws]] = {
    "brightness": _nothing,
    "contrast": _nothing,
    "elastic_transform": _elastic_transform,
    "jpeg_compression": _nothing,
    "pixelate": _nothing,
    "saturate": _nothing,
}
