"""Style images, from a tensor or a folder of pictures."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["at_size", "style_images"]

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm"}


def style_images(source: Tensor | str | Path, size: int = 256) -> Tensor:
    """Return style images in memory.

    Args:
        source: Float S×C×H×W in [0, 1], or a folder of pictures at any depth.
        size: Side in pixels to which a folder's pictures are resized; what is beyond their middle square is cut off.

    Returns:
        float32 S×C×H×W; a folder's are S×3×size×size.

    Raises:
        ValueError: If the folder is missing or has no pictures, or one of them cannot be read.
        TypeError: If a tensor is not of floating point and of four axes with at least one image.
    """
    if isinstance(source, Tensor):
        if source.ndim != 4 or not source.is_floating_point() or len(source) == 0:
            raise TypeError(
                f"expected style images as float S×C×H×W, got {source.dtype} {tuple(source.shape)}; try styles / 255"
            )
        return source.float()
    folder = Path(source)
    if not folder.is_dir():
        raise ValueError(f"expected a folder of style pictures at {folder}, got nothing there; try another styles")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise ValueError(f"expected style pictures in {folder}, got none; try another styles")
    return torch.stack([_picture(file, size) for file in files])


def at_size(styles: Tensor, channels: int, size: tuple[int, int]) -> Tensor:
    """Return style images S×C×H×W with another number of channels (1 or 3) and another size."""
    if styles.shape[1] != channels:
        styles = styles.mean(1, keepdim=True).expand(-1, channels, -1, -1)
    if styles.shape[2:] != size:
        styles = F.interpolate(styles, size=size, mode="bilinear", antialias=True, align_corners=False)
    return styles


def _picture(file: Path, size: int) -> Tensor:
    import numpy as np
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as opened:
            picture = ImageOps.fit(ImageOps.exif_transpose(opened).convert("RGB"), (size, size))
    except Exception as error:  # Pillow raises errors of many kinds for broken files
        reason = str(error) or type(error).__name__
        raise ValueError(f"expected a readable picture in {file}, got {reason!r}; try removing it") from error
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
