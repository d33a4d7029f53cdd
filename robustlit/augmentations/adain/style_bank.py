"""Styles from a folder of pictures: channel statistics, computed once and kept."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from robustlit.augmentations.adain.network import StyleNetwork, fit_sides
from robustlit.augmentations.adain.statistics import StyleStatistics

__all__ = ["StyleBank"]

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm"}


class StyleBank:
    """The styles of all pictures under a folder: mean and standard deviation of every channel at relu4_1.

    Pictures are listed at once and encoded when a style is first asked for, one by one: about 0.5 s a picture on a CPU
    core. The statistics stay in memory, 4 KB a picture, and in a file where one is named.

    Args:
        folder: Pictures at any depth.
        size: The shorter side in pixels at which a picture is encoded.
        cache: A file to keep the statistics in between runs; it is made anew where pictures, size or encoder differ.

    Raises:
        ValueError: If the folder is missing or has no pictures, or one of them cannot be read (when it is encoded).
    """

    def __init__(self, folder: str | Path, *, size: int = 256, cache: str | Path | None = None) -> None:
        self.folder, self.size = Path(folder), size
        self.cache = None if cache is None else Path(cache)
        self.files = _pictures(self.folder)
        self._statistics: StyleStatistics | None = None

    def __len__(self) -> int:
        return len(self.files)

    def statistics(self, network: StyleNetwork, device: torch.device) -> StyleStatistics:
        """Return the statistics of all styles, float32 of shape S×C on the device."""
        if self._statistics is None:
            self._statistics = self._cached(network, device)
        if self._statistics.mean.device != device:
            self._statistics = StyleStatistics(*(values.to(device) for values in self._statistics))
        return self._statistics

    def _cached(self, network: StyleNetwork, device: torch.device) -> StyleStatistics:
        if self.cache is None:
            return self._encoded(network, device)
        fingerprint = self._fingerprint(network)
        found = _read(self.cache, fingerprint)
        if found is None:
            found = self._encoded(network, device)
            _write(self.cache, lambda part: torch.save({"fingerprint": fingerprint, **found._asdict()}, part))  # type: ignore[union-attr]
        return found

    @torch.no_grad()
    def _encoded(self, network: StyleNetwork, device: torch.device) -> StyleStatistics:
        # float32 even where the training runs in bfloat16: it happens once, and the file serves both
        with torch.autocast(device.type, enabled=False):
            each = [network.statistics(fit_sides(_read_picture(file).to(device), self.size)) for file in self.files]
        return StyleStatistics(*(torch.cat(values) for values in zip(*each, strict=True)))

    def _fingerprint(self, network: StyleNetwork) -> str:
        digest = hashlib.blake2b(f"{self.size}".encode(), digest_size=16)
        for file in self.files:
            status = file.stat()
            digest.update(f"{file.relative_to(self.folder)} {status.st_size} {status.st_mtime_ns}".encode())
        for weight in network.encoder(torch.device("cpu")).state_dict().values():
            digest.update(weight.contiguous().numpy().tobytes())
        return digest.hexdigest()


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"expected a folder of style pictures at {folder}, got nothing there; try another path")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not found:
        raise ValueError(f"expected style pictures in {folder}, got an empty folder; try one with .jpg or .png files")
    return found


def _read_picture(file: Path) -> Tensor:
    """Return the pixels of a picture, float32 1×3×H×W in [0, 1]."""
    import numpy as np
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as picture:
            pixels = np.array(ImageOps.exif_transpose(picture).convert("RGB"))
    except Exception as error:  # Pillow raises errors of many kinds for broken files
        reason = str(error) or type(error).__name__
        raise ValueError(f"expected a readable picture in {file}, got {reason!r}; try removing the file") from error
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float().div_(255)


def _read(cache: Path, fingerprint: str) -> StyleStatistics | None:
    """Return what a file keeps, unless it is of other pictures or no such file at all."""
    try:
        content = torch.load(cache, map_location="cpu", weights_only=True)
    except Exception:  # a file that is no pickle raises errors of many kinds
        return None
    if not isinstance(content, dict) or content.get("fingerprint") != fingerprint:
        return None
    return StyleStatistics(content["mean"], content["std"])


def _write(path: Path, save: Callable[[Path], None]) -> None:
    """Write a file in one step, so that other processes never see half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    save(part)
    part.replace(path)
