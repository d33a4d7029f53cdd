"""Random splits: disjoint, complete, of the asked size, and never through a group."""

import pytest

from robustlit.data.split import random_split


def test_parts_are_disjoint_complete_and_seeded():
    train, val = random_split(100, 0.25, seed=4)
    assert len(val) == 25
    assert sorted(train + val) == list(range(100))
    assert (train, val) == random_split(100, 0.25, seed=4)
    assert val != random_split(100, 0.25, seed=5)[1]


def test_no_group_is_in_both_parts():
    groups = [f"patient{i % 13}" for i in range(100)]
    train, val = random_split(100, 0.2, seed=0, groups=groups)
    assert not {groups[i] for i in train} & {groups[i] for i in val}
    assert sorted(train + val) == list(range(100))
    assert 20 <= len(val) <= 20 + 8  # at most one group of eight too many


def test_many_groups_take_linear_time():
    class Counted(str):  # a group's name that knows how often a set or a dict was asked for it
        hashes = 0
        __slots__ = ()

        def __hash__(self):
            Counted.hashes += 1
            return super().__hash__()

    groups = [Counted(f"patient{i // 2}") for i in range(2000)]
    _, val = random_split(2000, 0.5, seed=0, groups=groups)
    assert len(val) == 1000
    assert Counted.hashes < 10 * len(groups)


def test_zero_fraction_holds_nothing_out():
    assert random_split(5, 0.0, seed=0) == ([0, 1, 2, 3, 4], [])
    assert random_split(3, 0.0, seed=0, groups=["a", "b", "a"]) == ([0, 1, 2], [])


@pytest.mark.parametrize("fraction", [-0.1, 1.0])
def test_impossible_fraction(fraction):
    with pytest.raises(ValueError, match=r"expected val_fraction in \[0, 1\)"):
        random_split(5, fraction, seed=0)


def test_too_few_groups():
    with pytest.raises(ValueError, match="expected more groups to split by, got 1"):
        random_split(5, 0.5, seed=0, groups=["a"] * 5)
