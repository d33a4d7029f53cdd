"""``provenance.json``: how a set was made, beside the set."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from robustlit.data.corrupted.whole import whole
from robustlit.data.errors import DataError

__all__ = ["PROVENANCE", "finished_cells", "read_provenance", "record", "start"]

PROVENANCE = "provenance.json"


def read_provenance(folder: Path) -> dict[str, Any] | None:
    """Return how the set in a folder was made, or None where nobody wrote it down.

    Raises:
        DataError: If the file is not what ``robustlit corrupt`` writes.
    """
    path = folder / PROVENANCE
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        finished_cells(content)
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(
            f"expected {path} as 'robustlit corrupt' writes it, got {reason}; try writing the set anew"
        ) from error
    return dict(content)


def finished_cells(provenance: Mapping[str, Any]) -> set[tuple[str, int | None]]:
    """Return the cells that are whole."""
    return {(str(cell["corruption"]), int(cell["severity"])) for cell in provenance["cells"]}


def start(folder: Path, made: Mapping[str, Any]) -> None:
    """Take a folder for a set, or go on with the one in it.

    Args:
        folder: Where the set goes; made if it is not there.
        made: How the set is made, as plain JSON values.

    Raises:
        DataError: If the folder holds a set that was made otherwise, or anything else; nothing has been written then.
    """
    before = read_provenance(folder)
    if before is None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DataError(
                f"expected an empty folder or one with {PROVENANCE} at {folder}, got other files; try another"
            )
        record(folder, made, [])
        return
    for key, value in made.items():
        if before.get(key, value) != value:
            raise DataError(
                f"expected {key} {before[key]!r}, with which {folder} was begun, got {value!r}; try another folder"
            )


def record(folder: Path, made: Mapping[str, Any], cells: list[dict[str, Any]]) -> None:
    """Write how a set is made, and add cells that are whole now to those that were."""
    before = read_provenance(folder) or {}
    known = {(cell["corruption"], cell["severity"]): cell for cell in (*before.pop("cells", []), *cells)}
    content = {**before, **made, "cells": [known[key] for key in sorted(known)]}
    with whole(folder / PROVENANCE) as beside:
        beside.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
