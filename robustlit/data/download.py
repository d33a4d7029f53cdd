"""Fetching a data set by torchvision, with an error that says what to do without a network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from robustlit.data.errors import DataError

__all__ = ["fetch"]

_DOWNLOADS = Path("data")  # where data sets are downloaded to: a folder beside ``runs``


def fetch(name: str, path: str | Path | None, build: Callable[[Path, bool], Any]) -> Any:
    """Return what torchvision makes of a data set that is there; download it first if it is not and no path is given.

    Args:
        name: The data set's name, for errors.
        path: A folder that torchvision downloaded to before; None to download to ``data``.
        build: Makes the torchvision data set from (folder, whether to download).

    Raises:
        DataError: If the files are not at the path, or cannot be downloaded.
    """
    folder = _DOWNLOADS if path is None else Path(path)
    try:
        return build(folder, False)
    except (RuntimeError, OSError) as error:
        if path is not None:
            raise DataError(
                f"expected {name} in {folder}, got {_line(error)!r}; try path=null to download it"
            ) from error
    try:
        return build(folder, True)
    except (RuntimeError, OSError) as error:
        raise DataError(
            f"expected to download {name} to {folder}, got {_line(error)!r}; try path=… of a copy"
        ) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
