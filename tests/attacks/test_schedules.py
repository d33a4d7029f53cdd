"""Step schedules at hand-computed places."""

import torch

from robustlit.attacks.schedules import constant, cosine, halving, linear

LOSSES = [torch.zeros(2)]


def test_fixed_schedules() -> None:
    assert constant(3, 10, LOSSES).tolist() == [1, 1]
    assert [float(linear(step, 4, LOSSES)[0]) for step in range(4)] == [1, 0.75, 0.5, 0.25]
    values = [float(cosine(step, 4, LOSSES)[1]) for step in range(5)]
    torch.testing.assert_close(torch.tensor(values), torch.tensor([1, 0.853553, 0.5, 0.146447, 0]))


def test_halving_looks_at_every_sample_for_itself() -> None:
    grows, stays = torch.arange(11.0), torch.zeros(11)
    late = torch.tensor([0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2.0])
    losses = list(torch.stack([grows, stays, late], dim=1))
    # two steps a look: after steps 2, 4, 6, 8 of 10
    assert halving(0, 10, losses[:1]).tolist() == [1, 1, 1]
    assert halving(2, 10, losses[:3]).tolist() == [1, 0.5, 1]
    assert halving(4, 10, losses[:5]).tolist() == [1, 0.25, 0.5]
    assert halving(5, 10, losses[:6]).tolist() == [1, 0.25, 0.5]
    assert halving(6, 10, losses[:7]).tolist() == [1, 0.125, 0.5]
    assert halving(8, 10, losses[:9]).tolist() == [1, 0.0625, 0.25]
