"""The stream under the transforms: the same from one seed, whatever came before, and even over seeds and numbers."""

import pickle

import numpy as np
import pytest

from robustlit.core.random import mix
from robustlit.data.stream import Stream

DRAWS = {
    "random": lambda s: s.random(),
    "uniform": lambda s: s.uniform(-1, 1),
    "gauss": lambda s: s.gauss(0, 1),
    "randint": lambda s: s.randint(0, 1000),
    "getrandbits": lambda s: s.getrandbits(77),
    "shuffle": lambda s: s.sample(range(50), 50),
    "numpy normal": lambda s: float(s.numbers.normal()),
    "numpy 32-bit integers": lambda s: int(s.numbers.integers(0, 1000, dtype=np.int32)),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
def test_a_restart_forgets_what_came_before(draw):
    used, fresh = Stream(), pickle.loads(pickle.dumps(Stream()))
    used.restart(1)
    for other in DRAWS.values():
        other(used)
    used.restart(mix(7))
    fresh.restart(mix(7))
    drawn = [draw(used) for _ in range(3)]
    assert drawn == [draw(fresh) for _ in range(3)]
    assert drawn[0] != drawn[1] != drawn[2]


def test_numbers_are_even_and_independent_over_samples():
    stream, count, rows = Stream(), 8000, []
    for index in range(count):
        stream.restart(mix(0, 3, index))
        rows.append([stream.random(), stream.random(), stream.getrandbits(3) / 8, float(stream.numbers.random())])
    table = np.array(rows)
    for column in table[:, [0, 1, 3]].T:  # Kolmogorov and Smirnov, at a level of about 1 in 10,000
        assert np.abs(np.sort(column) - (np.arange(count) + 0.5) / count).max() < 2.2 / count**0.5
    # Every number with the others of its sample, and with those of the sample before.
    correlation = np.corrcoef(np.hstack([table[1:], table[:-1]]).T) - np.eye(8)
    assert np.abs(correlation).max() < 4.5 / count**0.5


def test_bits_are_as_many_as_asked():
    stream = Stream()
    stream.restart(mix(0))
    for bits in (1, 7, 8, 9, 64, 65):
        largest = max(stream.getrandbits(bits) for _ in range(200))
        assert 1 << (bits - 1) <= largest < 1 << bits
