"""A progress bar for methods that need many passes."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

__all__ = ["rounds"]

Item = TypeVar("Item")


def rounds(items: Sequence[Item], name: str, *, show: bool) -> Iterable[Item]:
    """Return the items, counted in a progress bar where it is wanted and there is more than one.

    Args:
        items: What to go through.
        name: What the bar is called.
        show: Whether there is a bar.
    """
    if not show or len(items) < 2:
        return items
    from tqdm.auto import tqdm

    return tqdm(items, desc=name, leave=False)
