"""How many classes there are, and what they are called."""

from collections.abc import Sequence

from robustlit.data.errors import DataError

__all__ = ["name_classes"]


def name_classes(count: int | None, names: Sequence[str] | None) -> tuple[str, ...]:
    """Return one name for each class, from a number, from names, or from both where they agree.

    Raises:
        DataError: If neither is given, or they contradict one another.

    Example:
        >>> name_classes(3, None)
        ('0', '1', '2')
    """
    if names is None and count is None:
        raise DataError("expected the classes of the masks, got neither; try num_classes=… or class_names=[…]")
    if names is None:
        return tuple(str(i) for i in range(count or 0))
    if count is not None and len(names) != count:
        raise DataError(f"expected {count} class names, got {len(names)}; try num_classes={len(names)}")
    return tuple(str(name) for name in names)
