"""The frost photographs of ImageNet-C, from an installed ``imagecorruptions`` or a folder; none is shipped here."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

__all__ = ["FILES", "photographs"]

# six are published, the last is never drawn; the beginnings of their SHA-256 say that they are those
FILES = {
    "frost1.png": "ff9f907860bd7a83",
    "frost2.png": "fe211a89b336999c",
    "frost3.png": "2d0d50b4a9bb213f",
    "frost4.jpg": "3f8b91ca1a9fa716",
    "frost5.jpg": "5fc6a19df4a429ba",
}


def photographs(source: str) -> list[Tensor]:
    """Return the five photographs that are drawn from, each float32 3×H×W of whole grey levels.

    Args:
        source: "imagecorruptions", or the folder that holds frost1.png … frost5.jpg.

    Raises:
        ValueError: If the package, the folder or a file is not there, or a file is not the published one.
    """
    folder = _package_folder() if source == "imagecorruptions" else Path(source).expanduser()
    if not folder.is_dir():
        raise ValueError(
            f"expected a folder with frost1.png … frost5.jpg, got {str(source)!r}; try source='procedural'"
        )
    return [_read(folder / name, digest) for name, digest in FILES.items()]


def _package_folder() -> Path:
    """Where the package keeps them; it is found and not imported, because its import fails on current setuptools."""
    found = find_spec("imagecorruptions")
    places = found.submodule_search_locations if found else None
    if not places:
        raise ValueError(
            "expected the package imagecorruptions for its frost files, "
            "got none; try pip install --no-deps imagecorruptions"
        )
    return Path(places[0]) / "frost"


def _read(path: Path, digest: str) -> Tensor:
    if not path.is_file():
        raise ValueError(f"expected {path.name} in {str(path.parent)!r}, got no such file; try source='procedural'")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if not found.startswith(digest):
        raise ValueError(
            f"expected the published {path.name} (SHA-256 {digest}…), got {found[:16]}…; try source='imagecorruptions'"
        )
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float()
