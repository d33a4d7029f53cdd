"""The errors of everything that is wrong with the data, kept to one line on their way out of a worker process."""

__all__ = ["DataError", "UnreadableImageError"]


class DataError(ValueError):
    r"""A file, a label or a setting of the data that does not fit.

    A ``DataLoader`` re-raises what happened in a worker by building the same class from the whole traceback as text.
    The last line of that text is the message that was meant, so a user sees one line with and without workers.

    Args:
        message: One line, or the traceback that ends in it.

    Example:
        >>> str(DataError("Caught DataError in worker 0.\nrobustlit.data.errors.DataError: expected 3, got 4"))
        'expected 3, got 4'
    """

    def __init__(self, message: str) -> None:
        last = message.strip().splitlines()[-1]
        super().__init__(last.removeprefix(f"{__name__}.{type(self).__name__}: "))


class UnreadableImageError(DataError):
    """An image or mask file that is broken or missing; what ``on_bad_image="skip"`` leaves out.

    Args:
        message: As for :class:`DataError`.
        file: The file; None where it is not known (then it is in the message).
    """

    def __init__(self, message: str, file: str | None = None) -> None:
        super().__init__(message)
        self.file = file
