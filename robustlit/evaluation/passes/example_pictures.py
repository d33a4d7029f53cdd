"""Single images of a split as pictures for a report."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["picture_of"]


def picture_of(samples: Any, index: int) -> NDArray[np.uint8]:
    """Return the image of an index as the model sees it, uint8 H×W×3."""
    image = np.asarray(samples[list(samples.indices).index(index)]["image"])
    if image.dtype == np.uint16:
        image = image // 257
    elif image.dtype.kind == "f":
        image = (image.clip(0, 1) * 255).round()
    image = image.astype(np.uint8)
    return image if image.shape[2] == 3 else np.repeat(image[..., :1], 3, axis=2)
