"""``robustlit version``: print the versions that a bug report needs."""

from collections.abc import Sequence

from robustlit.cli.errors import UserError
from robustlit.cli.versions import packages

__all__ = ["command"]


def command(arguments: Sequence[str]) -> None:
    """Print one line a package."""
    if arguments:
        raise UserError(f"expected no arguments, got {' '.join(arguments)!r}; try 'robustlit version'")
    found = packages()
    width = max(map(len, found))
    for name, number in found.items():
        print(f"{name:<{width}}  {number}")
