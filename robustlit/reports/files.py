"""Writing files that are whole at every moment, whenever the process is killed."""

import json
import os
from pathlib import Path

__all__ = ["write_json", "write_text"]


def write_text(path: Path, text: str) -> None:
    """Write a file beside its place and move it there in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def write_json(path: Path, content: object) -> None:
    """Write JSON that a person can read."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
