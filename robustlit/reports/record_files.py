"""Records of tests as files of a run: ``evaluations/<checkpoint>/<split>/<test>.<kind>[.<name>]`` and an ending."""

import io
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from robustlit.evaluation.records import KINDS, Record
from robustlit.reports.files import write_bytes, write_json

__all__ = ["read_records", "write_records"]

_FOLDER = "evaluations"
_ENDINGS = {"outcomes": ".npz", "picture": ".png"}  # the others are JSON


def write_records(records: Iterable[Record], run: Path, checkpoint: str, *, stale: bool = False) -> list[Path]:
    """Write records, each file in one step; earlier ones of the same tests and splits go, the others stay.

    Args:
        records: What was recorded.
        run: The run folder.
        checkpoint: Whose weights were tested.
        stale: Whether all earlier records are of other weights, so that none may stay.

    Returns:
        The files.
    """
    folder = run / _FOLDER / _quoted(checkpoint)
    if stale and folder.is_dir():
        shutil.rmtree(folder)
    records = list(records)
    files = {_path(folder, record): record for record in records}
    for test, split in {(record.test, record.split) for record in records}:
        for old in (folder / _quoted(split)).glob(f"{_quoted(test)}.*"):
            if old not in files:
                old.unlink()
    for path, record in files.items():
        _write(path, record)
    return list(files)


def read_records(run: Path) -> dict[str, list[Record]]:
    """Read the records of a run by checkpoint; files of other kinds are left alone.

    Raises:
        ValueError: If a file is broken.
    """
    found: dict[str, list[Record]] = {}
    for path in sorted((run / _FOLDER).glob("*/*/*.*")):
        test, kind, name = _parts(path)
        if kind in KINDS and path.suffix == _ENDINGS.get(kind, ".json"):
            try:
                record = Record(test, unquote(path.parent.name), kind, name, _read(path))
            except (OSError, ValueError, KeyError) as error:
                raise ValueError(f"expected a record in {path}, got {error}; try evaluating again") from error
            found.setdefault(unquote(path.parent.parent.name), []).append(record)
    return found


def _path(folder: Path, record: Record) -> Path:
    ending = _ENDINGS.get(record.kind, ".json")
    name = ".".join(_quoted(word) for word in (record.test, record.kind, record.name) if word)
    return folder / _quoted(record.split) / f"{name}{ending}"


def _parts(path: Path) -> tuple[str, str, str]:
    """The test, the kind and the name in the name of a file; three empty words where it is none of a record."""
    test, kind, name, *more = [*map(unquote, path.stem.split(".")), "", ""]  # without a name "", once "test.kind.." too
    return ("", "", "") if any(more) else (test, kind, name)


def _quoted(word: str) -> str:
    """Write a name so that it is one part of a file's name on any system, and can be read back.

    Example:
        >>> _quoted("fog/3"), _quoted("..")
        ('fog%2F3', '%2E%2E')
    """
    return quote(word, safe=" ").replace(".", "%2E")


def _write(path: Path, record: Record) -> None:
    if record.kind == "outcomes":
        import numpy as np

        file = io.BytesIO()
        np.savez_compressed(file, **record.data)
        write_bytes(path, file.getvalue())
    elif record.kind == "picture":
        write_bytes(path, _png(record))
    else:
        write_json(path, record.data)


def _png(record: Record) -> bytes:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    facts = PngInfo()
    others = {key: value for key, value in record.data.items() if key != "image"}
    facts.add_itxt("robustlit", json.dumps(others, ensure_ascii=False))
    file = io.BytesIO()
    Image.fromarray(record.data["image"]).save(file, "PNG", pnginfo=facts)
    return file.getvalue()


def _read(path: Path) -> dict[str, Any]:
    if path.suffix == ".npz":
        import numpy as np

        with np.load(path, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    if path.suffix == ".png":
        import numpy as np
        from PIL import Image

        with Image.open(path) as picture:
            picture.load()
            facts = json.loads(getattr(picture, "text", {}).get("robustlit", '{"caption": ""}'))
            return {"image": np.asarray(picture.convert("RGB")), **facts}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
