"""Names resolve through the exports of ``robustlit.corruptions``: an exported class is found by its ``name``."""

from functools import cache

from robustlit.core.names import lookup
from robustlit.corruptions.base import Corruption

__all__ = ["named", "names"]


def named(name: str) -> Corruption:
    """Return the corruption of a name.

    Raises:
        ValueError: If there is none; the message has the nearest name.
    """
    return lookup("corruption", name, _exported())()


def names() -> tuple[str, ...]:
    """Return the names of all corruptions."""
    return tuple(_exported())


@cache
def _exported() -> dict[str, type[Corruption]]:
    import robustlit.corruptions as exports

    found = (getattr(exports, name) for name in exports.__all__)
    classes = (item for item in found if isinstance(item, type) and issubclass(item, Corruption))
    return {item.name: item for item in classes if hasattr(item, "levels")}
