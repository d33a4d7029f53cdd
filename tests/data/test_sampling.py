"""The batches of every rank are the right slices of one permutation, and evaluation loses and repeats nothing."""

import pytest

from robustlit.data.sampling import EvaluationBatchSampler, SeededBatchSampler


def positions(batches):
    return [[position for position, _ in batch] for batch in batches]


def order(batches):
    return [position for batch in positions(batches) for position in batch]


def test_every_epoch_is_another_permutation_of_all_samples():
    sampler = SeededBatchSampler(11, 4, seed=1)
    epochs = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        epochs.append(order(sampler))
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(11))
    assert epochs[0] == epochs[2] != epochs[1]
    assert epochs[0] != order(SeededBatchSampler(11, 4, seed=2))


def test_keys_carry_the_epoch():
    sampler = SeededBatchSampler(4, 2, seed=0)
    sampler.set_epoch(7)
    assert {epoch for batch in sampler for _, epoch in batch} == {7}


def test_lightning_reaches_set_epoch():
    from lightning_fabric.utilities.data import _set_sampler_epoch
    from torch.utils.data import DataLoader

    sampler = SeededBatchSampler(4, 2, seed=0)
    _set_sampler_epoch(DataLoader([0, 1, 2, 3], batch_sampler=sampler), 5)
    assert sampler.epoch == 5


@pytest.mark.parametrize("count", [16, 17, 18, 21, 23])
def test_two_ranks_together_make_the_batches_of_one_process(count):
    ranks = [positions(SeededBatchSampler(count, 3, seed=0, rank=r, world_size=2)) for r in range(2)]
    whole = positions(SeededBatchSampler(count, 6, seed=0))
    assert len(ranks[0]) == len(ranks[1]) == len(SeededBatchSampler(count, 3, seed=0, rank=1, world_size=2))
    assert [len(batch) for batch in ranks[0]] == [len(batch) for batch in ranks[1]]
    together = [sorted(a + b) for a, b in zip(*ranks, strict=True)]
    full = count // 6
    assert together[:full] == [sorted(batch) for batch in whole[:full]]
    assert sum(map(len, together)) == count - count % 2


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_a_resumed_sampler_goes_on_where_the_first_one_was(world_size):
    def build(**settings):
        return SeededBatchSampler(20, 2, seed=3, rank=world_size - 1, world_size=world_size, **settings)

    whole, resumed = build(), build(start=(2, 3))
    assert len(resumed) == len(whole)  # Lightning counts the skipped batches as done
    for epoch in (2, 3):
        whole.set_epoch(epoch)
        resumed.set_epoch(epoch)
        assert list(resumed) == list(whole)[3 if epoch == 2 else 0 :]


def test_an_iterator_made_before_the_epoch_is_counted_begins_the_next_epoch():
    resumed, fresh = SeededBatchSampler(9, 2, seed=3, start=(4, 0)), SeededBatchSampler(9, 2, seed=3)
    resumed.set_epoch(3)
    fresh.set_epoch(4)
    assert list(resumed) == list(fresh)


@pytest.mark.parametrize(("count", "world_size"), [(37, 2), (37, 3), (33, 2), (8, 1), (3, 3), (1, 1)])
@pytest.mark.parametrize("batch_size", [1, 4, 8, 100])
def test_evaluation_sees_every_sample_once_in_equally_many_batches(count, world_size, batch_size):
    samplers = [EvaluationBatchSampler(count, batch_size, rank=r, world_size=world_size) for r in range(world_size)]
    assert len({len(sampler) for sampler in samplers}) == 1
    sizes = [len(batch) for sampler in samplers for batch in sampler]
    assert min(sizes) >= 1 and max(sizes) <= batch_size + 1
    assert world_size > 1 or max(sizes) <= batch_size
    seen = sorted(position for sampler in samplers for batch in positions(sampler) for position in batch)
    assert seen == list(range(count))
    assert all(len(sampler) == len(list(sampler)) for sampler in samplers)


def test_evaluation_needs_a_sample_for_every_process():
    with pytest.raises(ValueError, match="expected a sample for each of 3 processes, got 2"):
        EvaluationBatchSampler(2, 4, world_size=3)
