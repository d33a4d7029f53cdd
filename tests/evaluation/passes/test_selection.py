import pytest
import torch
from lightning_fabric.utilities.distributed import DistributedSamplerWrapper
from torch.utils.data import DataLoader, DistributedSampler, Subset, TensorDataset

from robustlit.core import Adapter
from robustlit.evaluation.passes.gathering import Gathering
from robustlit.evaluation.passes.selection import Selection


def tuples(count=40, size=16):
    images = torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0))
    return TensorDataset(images, torch.arange(count))  # the target tells which sample it is


class WithIndex(torch.utils.data.Dataset):
    """Dict items whose index is that of a larger set."""

    def __init__(self, indices):
        self.indices, self.source = indices, tuples(100)

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, place):
        image, target = self.source[self.indices[place]]
        return {"image": image, "target": target, "index": self.indices[place]}


def chosen(loader, count, seed=0):
    selection, found = Selection(count, seed), {}
    selection.begin(loader)
    for batch in loader:
        positions, ids = selection.choose(Adapter(), batch)
        targets = Adapter().targets(batch)[positions]
        found.update(zip(targets.tolist(), ids.tolist(), strict=True))
    return found


def test_exactly_as_many_as_asked_and_not_the_first():
    found = chosen(DataLoader(tuples(), batch_size=8), 10)
    assert len(found) == 10
    assert set(found) != set(range(10))
    assert max(found) >= 20
    assert all(target == identity for target, identity in found.items())


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_the_same_for_any_batch_size(batch_size):
    assert chosen(DataLoader(tuples(), batch_size=batch_size), 10) == chosen(DataLoader(tuples(), batch_size=8), 10)


def test_another_seed_chooses_others():
    loader = DataLoader(tuples(), batch_size=8)
    assert chosen(loader, 10, seed=0) != chosen(loader, 10, seed=1)


def test_the_index_in_the_batch_wins_over_the_position():
    indices = torch.randperm(100, generator=torch.Generator().manual_seed(1))[:50].tolist()
    whole = chosen(DataLoader(WithIndex(indices), batch_size=8), 12)
    assert len(whole) == 12
    assert all(target == identity for target, identity in whole.items())
    assert chosen(DataLoader(WithIndex(indices[::-1]), batch_size=8), 12) == whole


def test_a_shuffled_loader_goes_by_pixels_and_chooses_the_same_every_time():
    shuffled = DataLoader(tuples(200), batch_size=8, shuffle=True)
    first, second = chosen(shuffled, 50), chosen(shuffled, 50)
    assert first == second
    assert 25 <= len(first) <= 80  # by a threshold on hashes: about as many


def test_two_processes_choose_what_one_does_and_a_padded_repeat_counts_once():
    data = tuples(37)
    ranks = [
        chosen(DataLoader(data, batch_size=4, sampler=DistributedSampler(data, 2, rank, shuffle=False)), None)
        for rank in (0, 1)
    ]
    assert not set(ranks[0]) & set(ranks[1])
    assert ranks[0] | ranks[1] == chosen(DataLoader(data, batch_size=4), None)


def test_a_samplers_own_order_is_not_taken_for_positions():
    class Chosen(torch.utils.data.Sampler):
        def __iter__(self):
            return iter([9, 1, 3, 5, 7])

        def __len__(self):
            return 5

    data = tuples(10)
    parts = []
    for rank in (0, 1):
        sampler = DistributedSamplerWrapper(Chosen(), num_replicas=2, rank=rank, shuffle=False)
        parts.append(chosen(DataLoader(data, batch_size=2, sampler=sampler), None))
    assert not set(parts[0]) & set(parts[1])  # the sampler repeats its first sample to fill up
    assert parts[0] | parts[1] == chosen(DataLoader(data, batch_size=2, sampler=Chosen()), None)


def test_the_budget_is_kept_where_batches_are_limited():
    selection = Selection(10)
    loader = DataLoader(tuples(80), batch_size=8)
    selection.begin(loader, share=0.5)
    batches = [batch for _, batch in zip(range(5), loader, strict=False)]
    assert sum(len(selection.choose(Adapter(), batch)[1]) for batch in batches) == 10


def test_a_subset_of_tuples_goes_by_position():
    found = chosen(DataLoader(Subset(tuples(40), range(20, 40)), batch_size=8), 5)
    assert len(found) == 5
    assert all(target - 20 == identity for target, identity in found.items())


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one image"):
        Selection(0)


def test_gathering_fills_batches():
    loader = DataLoader(tuples(), batch_size=8)
    gathering = Gathering(Selection(20), Adapter(), loader)
    chunks = [chunk for batch in loader for chunk in gathering.add(batch)]
    rest = list(gathering.rest())
    assert [len(chunk) for chunk in chunks] == [8, 8]
    assert [len(chunk) for chunk in rest] == [4]
    assert {int(target) for chunk in chunks + rest for target in chunk.targets} == set(chosen(loader, 20))


def test_gathering_keeps_sizes_apart():
    loader = DataLoader(tuples(), batch_size=8)
    gathering = Gathering(Selection(None), Adapter(), loader, batch_size=6)
    batches = [(torch.rand(4, 3, size, size), torch.arange(4)) for size in (16, 16, 24)]
    chunks = [chunk for batch in batches for chunk in gathering.add(batch)] + list(gathering.rest())
    assert [tuple(chunk.images.shape[::3]) for chunk in chunks] == [(6, 16), (2, 16), (4, 24)]


def test_gathering_refuses_images_that_are_not_pixels():
    loader = DataLoader(TensorDataset(torch.full((4, 3, 16, 16), 200.0), torch.zeros(4)), batch_size=4)
    with pytest.raises(ValueError, match="dividing them by 255"):
        list(Gathering(Selection(None), Adapter(), loader).add(next(iter(loader))))
