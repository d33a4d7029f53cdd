"""A budget of images: the ones that a pass over all would choose, and no others are read."""

import pytest
import torch

from robustlit.core import Adapter
from robustlit.evaluation import CalibrationTest, ShiftTest
from robustlit.evaluation.passes.part import chosen_part
from robustlit.evaluation.passes.selection import Selection
from tests.evaluation.answer_sets import classes, classifier
from tests.tiny import trainer


@pytest.fixture
def data(tmp_path):
    found = classes(tmp_path / "set.npz", count=60)
    found.val_set = None
    return found


def chosen_of_all(data, count):
    """Ids that a selection takes out of the batches of the whole split."""
    (loader,) = data.test_dataloader()
    selection = Selection(count)
    selection.begin(loader)
    batches = [data.on_after_batch_transfer(batch, 0) for batch in loader]
    return torch.cat([selection.choose(Adapter(), batch)[1] for batch in batches]).tolist()


@pytest.mark.parametrize("count", [1, 7, 29])
def test_they_are_those_that_a_pass_over_all_would_choose(count, data):
    part = chosen_part(data.test_sets["test"], count)
    assert part.indices == chosen_of_all(data, count)
    assert [part[place]["index"] for place in range(len(part))] == part.indices


def test_without_a_budget_it_is_the_split_itself(data):
    split = data.test_sets["test"]
    assert chosen_part(split, None) is split
    assert chosen_part(split, 30) is split


@pytest.mark.parametrize("test", [CalibrationTest([], images=7), ShiftTest([1], images=7)])
def test_no_others_are_read(test, data, monkeypatch):
    split, read = data.test_sets["test"], []
    take = split.source.__class__.__getitem__
    monkeypatch.setattr(
        split.source.__class__, "__getitem__", lambda self, index: read.append(index) or take(self, index)
    )
    rows = test.run(classifier(3), data, trainer([]))
    assert {row.n for row in rows} == {7}
    assert {*read} <= {*Selection(7).positions(split.indices), 0}  # the first one tells the size
