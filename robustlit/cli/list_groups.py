"""Groups of which any number of options may be chosen: what is typed of one of them, as one word."""

import re
from collections.abc import Sequence

from robustlit.cli.errors import UserError

__all__ = ["LIST_GROUPS", "joined"]

LIST_GROUPS = ("augmentation", "callbacks", "evaluation", "logger", "sweep")  # a test compares them with conf/


def joined(words: Sequence[str]) -> list[str]:
    """Put several words about one group together: of those Hydra would keep one and drop the others in silence.

    Args:
        words: Overrides and flags.

    Raises:
        UserError: If a group is to grow whose own value is no plain list.

    Example:
        >>> joined(["callbacks=[default]", "seed=1", "+callbacks=ema", "+callbacks=embeddings"])
        ['callbacks=[default,ema,embeddings]', 'seed=1']
    """
    found = list(words)
    for group in LIST_GROUPS:
        plain = [word for word in found if word.startswith(f"{group}=")]
        added = [word for word in found if word.startswith(f"+{group}=")]
        own = [*plain[-1:], *added]  # the last of several values is the one that counts, as everywhere
        if added and len(own) > 1:
            options = dict.fromkeys(option for word in own for option in _options(word, own))
            place = found.index((plain or added)[0])
            found[place] = f"{own[0].partition('=')[0]}=[{','.join(options)}]"
            found = [word for word in found if word not in (*plain, *added)]
    return found


def _options(word: str, own: Sequence[str]) -> list[str]:
    """Return the options that a word names."""
    value = word.partition("=")[2]
    if re.fullmatch(r"\[[\w/., -]*\]|[\w/.-]*", value) is None:
        others = " and ".join(repr(other) for other in own if other != word)
        raise UserError(f"cannot put {word!r} and {others} together; try one list that has all, as [a,b]")
    return [option.strip() for option in value.strip("[]").split(",") if option.strip() not in ("", "null")]
