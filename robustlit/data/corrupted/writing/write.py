"""Writing a corrupted set for whatever holds the images."""

from pathlib import Path

from robustlit.data.corrupted.writing.arrays import write_arrays
from robustlit.data.corrupted.writing.folders import write_folders
from robustlit.data.corrupted.writing.plan import Plan
from robustlit.data.errors import DataError

__all__ = ["write_corrupted"]


def write_corrupted(source: str | Path, out: str | Path, plan: Plan) -> int:
    """Write a corrupted set in a published layout, with ``provenance.json``; called again, go on where it stopped.

    An ``.npz`` file becomes a set like CIFAR-10-C; a folder of pictures one like ImageNet-C, its tree below every
    ``<corruption>/<severity>/``. ``images/`` beside ``masks/`` are corrupted and the masks copied.

    Args:
        source: The ``.npz`` file or the folder of one split.
        out: The folder to write to: empty, not there, or begun by the same call.
        plan: What to write.

    Returns:
        The number of images in each cell.

    Raises:
        DataError: If the source cannot be used, or ``out`` holds something else.
    """
    source, out = Path(source), Path(out)
    if not source.exists():
        raise DataError(
            f"expected a folder of pictures or an .npz file at {source}, got nothing there; try another path"
        )
    if out.resolve().is_relative_to(source.resolve()):
        raise DataError(f"expected a folder outside {source}, got {out}; try another one to write to")
    return write_folders(source, out, plan) if source.is_dir() else write_arrays(source, out, plan)
