"""Whether more or less of a key is better."""

import re

__all__ = ["mode_of"]

_SMALLER_IS_BETTER = re.compile(r"(^|[/_])(loss|calibration_error)(_epoch)?$")


def mode_of(key: str) -> str:
    """Return "min" for keys whose last part is ``loss`` or ``calibration_error``, else "max".

    Example:
        >>> mode_of("val/loss"), mode_of("val_loss"), mode_of("val/accuracy")
        ('min', 'min', 'max')
    """
    return "min" if _SMALLER_IS_BETTER.search(key) else "max"
