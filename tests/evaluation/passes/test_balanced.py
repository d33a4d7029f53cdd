import pytest
import torch

from robustlit.evaluation.passes.balanced import Balanced, groups_of
from robustlit.evaluation.passes.gathering import Chunk


def chunk(ids, size=4):
    ids = torch.as_tensor(ids)
    return Chunk(ids[:, None, None, None].expand(-1, 1, size, size).float(), ids % 3, ids)


def chosen(parts, count, classes=3):
    balanced = Balanced(count)
    for part in parts:
        balanced.add(chunk(part), torch.as_tensor(part) % classes)
    return balanced


def test_as_many_of_each_class():
    found = chosen([range(300)], 9).chosen()
    assert found.targets.bincount().tolist() == [3, 3, 3]
    assert torch.equal(found.images[:, 0, 0, 0].long(), found.ids)


def test_the_choice_depends_on_neither_order_nor_batches_nor_processes():
    whole = chosen([range(300)], 8).chosen().ids.tolist()
    assert len(whole) == 8
    mixed = torch.randperm(300).tolist()
    assert chosen([mixed[i : i + 7] for i in range(0, 300, 7)], 8).chosen().ids.tolist() == whole
    processes = [chosen([range(rank, 300, 2)], 8) for rank in range(2)]
    processes[0].merge([processes[1].found, processes[1].found])
    assert processes[0].chosen().ids.tolist() == whole


def test_of_many_classes_some_have_one_each():
    found = chosen([range(300)], 4, classes=50).chosen()
    assert len(set((found.ids % 50).tolist())) == 4


def test_another_seed_chooses_others():
    first, second = Balanced(6, seed=0), Balanced(6, seed=1)
    for balanced in (first, second):
        balanced.add(chunk(range(300)), torch.arange(300) % 3)
    assert first.chosen().ids.tolist() != second.chosen().ids.tolist()


def test_nothing_seen():
    assert Balanced(3).chosen() is None
    with pytest.raises(ValueError, match="expected at least one probe image, got 0"):
        Balanced(0)


def test_images_of_two_sizes_are_one_line():
    balanced = Balanced(4)
    balanced.add(chunk([0], 4), torch.tensor([0]))
    balanced.add(chunk([1], 5), torch.tensor([1]))
    with pytest.raises(ValueError, match="expected images of one size"):
        balanced.chosen()


def test_groups_of_other_targets():
    assert groups_of(torch.tensor([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]])).tolist() == [1, 0]
    masks = torch.tensor([[[3, 3, 9, 9, 9]], [[9, 9, 9, 9, 9]]])
    assert groups_of(masks, ignore_index=9).tolist() == [3, 0]
