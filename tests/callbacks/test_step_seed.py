import random

import numpy as np
import torch
from callbacks_helpers import fit, weights
from pytorch_lightning import Callback

from robustlit.callbacks import StepSeed


def draws(callback, *position):
    callback.seed_step(*position)
    return torch.rand(1).item(), random.random(), float(np.random.rand())


def test_every_seed_epoch_batch_and_rank_has_its_own_numbers():
    positions = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    seen = [draws(StepSeed(seed), *position) for seed in (0, 1) for position in positions]
    for generator in zip(*seen, strict=True):
        assert len(set(generator)) == len(seen)
    assert draws(StepSeed(1), 0, 1, 0) == seen[6]


class Noise(Callback):
    """Draws from the global generators between steps, as a careless callback may."""

    def on_train_batch_end(self, *_):
        torch.rand(7)


def test_draws_between_steps_do_not_reach_the_dropout_of_the_next(tmp_path):
    _, quiet = fit(tmp_path, [StepSeed()], epochs=1)
    _, noisy = fit(tmp_path, [StepSeed(), Noise()], epochs=1)
    _, unseeded = fit(tmp_path, [], epochs=1)
    _, unseeded_noisy = fit(tmp_path, [Noise()], epochs=1)
    assert torch.equal(weights(quiet), weights(noisy))
    assert not torch.equal(weights(unseeded), weights(unseeded_noisy))  # the noise would have been felt
