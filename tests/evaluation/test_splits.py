"""Which splits are tested."""

from types import SimpleNamespace

import pytest

from robustlit.evaluation.splits import use_splits


def chosen(tests, val, wanted=None):
    data = SimpleNamespace(test_sets={name: name for name in tests}, val_set=val)
    use_splits(data, wanted)
    return list(data.test_sets)


def test_all_test_splits_or_validation_where_there_is_none():
    assert chosen(["b", "a"], "val") == ["b", "a"]
    assert chosen([], "val") == ["val"]
    assert chosen([], None) == []


def test_the_wanted_ones_in_their_order():
    assert chosen(["a", "b"], "val", ["val", "a"]) == ["val", "a"]
    with pytest.raises(ValueError, match="expected the name of a split, got 'val'"):
        chosen(["a"], None, ["val"])
