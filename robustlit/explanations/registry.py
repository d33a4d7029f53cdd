"""Names resolve through the exports of ``robustlit.explanations``: an exported method is found by its ``name``."""

from collections.abc import Sequence
from functools import cache

from robustlit.core.names import lookup
from robustlit.explanations.base import Method

__all__ = ["chosen", "named", "names"]


def named(name: str) -> Method:
    """Return the explanation of a name, with its default options.

    Raises:
        ValueError: If there is none; the message has the nearest name.
    """
    return lookup("method", name, _exported())()


def names() -> tuple[str, ...]:
    """Return the names of all explanations.

    Example:
        >>> names()[:4]
        ('cam', 'deconvnet', 'eigen_cam', 'grad_cam')
    """
    return tuple(sorted(_exported()))


def chosen(methods: str | Method | Sequence[str | Method]) -> dict[str, Method]:
    """Return methods by name, from names and methods with options of their own.

    Raises:
        ValueError: If a name does not exist, a method is there twice, or there is none.
    """
    wanted = (methods,) if isinstance(methods, str | Method) else tuple(methods)
    found: dict[str, Method] = {}
    for one in wanted:
        method = named(one) if isinstance(one, str) else one
        if not isinstance(method, Method):
            raise TypeError(f"expected a method as a name or a Method, got {method!r}; try 'grad_cam'")
        if method.name in found:
            raise ValueError(f"expected every method once, got {method.name!r} twice; try two calls")
        found[method.name] = method
    if not found:
        raise ValueError("expected at least one method, got none; try methods=('saliency', 'grad_cam')")
    return found


@cache
def _exported() -> dict[str, type[Method]]:
    import robustlit.explanations as exports

    found = (getattr(exports, name) for name in exports.__all__)
    classes = (item for item in found if isinstance(item, type) and issubclass(item, Method))
    return {item.name: item for item in classes if hasattr(item, "name")}
