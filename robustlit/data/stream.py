"""The random numbers of a sample's transforms, restarted for every sample at little cost."""

from random import Random

import numpy as np

__all__ = ["Stream"]


class Stream(Random):
    """One sequence of numbers behind both of the interfaces that albumentations draws from.

    Making a ``Generator`` and a ``Random`` from a seed takes longer than to crop and flip a small image, because both
    spread the seed over their state. A seed of :func:`~robustlit.core.random.mix` is spread already, so it becomes the
    state as it is.

    Example:
        >>> stream = Stream()
        >>> stream.restart(7)
        >>> first = stream.random(), stream.numbers.random()
        >>> stream.restart(7)
        >>> first == (stream.random(), stream.numbers.random())
        True
    """

    def __init__(self) -> None:
        super().__init__(0)
        self.numbers = np.random.Generator(np.random.PCG64(0))

    def restart(self, seed: int) -> None:
        """Begin the sequence of a seed in [0, 2⁶³)."""
        self.numbers.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": seed, "inc": 1},
            "has_uint32": 0,
            "uinteger": 0,
        }
        self.gauss_next = None  # Random keeps the second number of a normal pair

    def random(self) -> float:
        """Return the next number in [0, 1)."""
        return self.numbers.random()

    def getrandbits(self, k: int, /) -> int:
        """Return an integer of k random bits; ``Random`` makes all it offers from this and :meth:`random`."""
        return int.from_bytes(self.numbers.bytes((k + 7) // 8)) >> (-k % 8)
