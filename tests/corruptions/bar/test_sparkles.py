import torch

from robustlit.corruptions.bar.sparkles import sparkles
from robustlit.corruptions.registry import named


def test_sparkles_one_after_another() -> None:
    found = named("sparkles")
    images = torch.rand(2, 3, 20, 31)
    draws = found.sample(images.shape, torch.tensor([1, 2]), found.level("cifar", 3))
    step_by_step = images
    for k in range(5):
        one = slice(k, k + 1)
        step_by_step = sparkles(step_by_step, draws.centres[:, one], draws.counts[:, one], draws.spread[:, one], 1.12)
    torch.testing.assert_close(sparkles(images, draws.centres, draws.counts, draws.spread, 1.12), step_by_step)


def test_centres_are_white_and_nothing_darkens() -> None:
    found = named("sparkles")
    images = torch.zeros(64, 1, 32, 32)
    draws = found.sample(images.shape, torch.arange(64), found.level("cifar", 5))
    changed = found.apply(images, draws, found.level("cifar", 5))
    row, column = draws.centres.round().clamp_max(31).long().unbind(-1)
    assert (changed[torch.arange(64)[:, None], 0, row, column] > 0.7).all()
    assert (changed >= 0).all()


def test_rays_are_a_pixel_long_at_the_least() -> None:
    short = sparkles(
        torch.zeros(1, 1, 16, 16), torch.tensor([[[8.0, 8.0]]]), torch.tensor([[60]]), torch.zeros(1, 1, 199), 0.01
    )
    # at a distance of 4 pixels a ray of one pixel gives at the most 1/16
    assert 0.04 < short[0, 0, 8, 12] <= 1 / 16
