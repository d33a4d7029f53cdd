"""Looking things up by name, with an error that offers the nearest match."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

__all__ = ["lookup", "unknown_name"]

Value = TypeVar("Value")


def unknown_name(what: str, name: str, known: Iterable[str]) -> ValueError:
    """Return the error for a name that does not exist, with the nearest match and what there is.

    Args:
        what: What the name should have named, in the words of the user: "corruption", "model".
        name: The name that was given.
        known: Every name that would have been right.

    Example:
        >>> str(unknown_name("model", "resnet81", ["resnet18", "unet"]))
        "expected the name of a model, got 'resnet81'; try 'resnet18' (there are: resnet18, unet)"
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"try {near[0]!r} " if near else "try one of these "
    article = "an" if what[:1] in tuple("aeio") else "a"
    return ValueError(f"expected the name of {article} {what}, got {name!r}; {hint}(there are: {', '.join(names)})")


def lookup(what: str, name: str, table: Mapping[str, Value]) -> Value:
    """Return ``table[name]``, or raise the error of :func:`unknown_name`.

    Args:
        what: What the name names, for the error.
        name: The name to look up.
        table: The names there are.

    Raises:
        ValueError: If the name is not in the table.

    Example:
        >>> lookup("number", "one", {"one": 1})
        1
    """
    if name in table:
        return table[name]
    raise unknown_name(what, name, table)
