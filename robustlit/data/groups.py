"""Which group a file belongs to, from a CSV table: the patient, the place, the camera."""

import csv
from collections.abc import Sequence
from pathlib import Path

from robustlit.data.errors import DataError

__all__ = ["read_groups"]


def read_groups(table: str | Path, column: str, files: Sequence[Path], folder: Path) -> list[str]:
    """Return the group of every file.

    Args:
        table: A CSV file with a header and, among its columns, ``file`` (relative to the folder, with /).
        column: The column that holds the group.
        files: The files to find in it.
        folder: What the names in the table are relative to.

    Raises:
        DataError: If the table or its columns are missing, or a file has no group in it.
    """
    if not Path(table).is_file():
        raise DataError(f"expected a CSV file at {table}, got nothing there; try another groups")
    with Path(table).open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.DictReader(lines)
        columns = reader.fieldnames or []
        if not {"file", column} <= set(columns):
            raise DataError(
                f"expected the columns file and {column} in {table}, got {','.join(columns)}; try another group_column"
            )
        known = {row["file"]: row[column] for row in reader if row[column]}
    names = [path.relative_to(folder).as_posix() for path in files]
    missing = [name for name in names if name not in known]
    if missing:
        raise DataError(
            f"expected a group for every file in {table}, got none for {len(missing)} of {len(names)}, the first being "
            f"{missing[0]!r}; try adding them (names are relative to {folder})"
        )
    return [known[name] for name in names]
