import math
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from callbacks_helpers import Foreign, board, fit, images, weights
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader

from robustlit.augmentations import PatchGaussian
from robustlit.callbacks import Augmentation, BestCheckpoint, CorruptionEvaluation
from robustlit.core.random import sample_seeds
from robustlit.corruptions import BAR, COMMON, EXTRA, corrupt
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.metrics.cells import CLEAN, CellScore

FEW = {"monitored": ["gaussian_blur", "saturate"], "shown": ["fog", "contrast", "brightness"]}


def data(batch_size=4, count=24, size=16):
    return DataLoader(images(count, size), batch_size=batch_size)


def evaluated(folder, callback, epochs=1, **settings):
    trainer, module = fit(folder, [callback], epochs=epochs, data=data(), validation=data(), **settings)
    found = {key: float(value) for key, value in trainer.callback_metrics.items() if key.startswith("robust/")}
    return found, module


def test_scores_are_those_of_a_loop_by_hand(tmp_path):
    found, module = evaluated(tmp_path, CorruptionEvaluation(**FEW, images=None, rotate=None))
    every = images(24, 16)
    pixels, targets = every.tensors
    module.eval()
    seeds = sample_seeds(0, torch.arange(24))

    def accuracy(batch):
        with torch.no_grad():
            return float((module(batch).argmax(1) == targets).float().mean())

    for name in (*FEW["monitored"], *FEW["shown"]):
        by_hand = sum(accuracy(corrupt(pixels, name, severity, seed=seeds)) for severity in (1, 3, 5)) / 3
        assert found[f"robust/corruption/{name}"] == pytest.approx(by_hand, abs=1e-6)
    extra = (found["robust/corruption/gaussian_blur"] + found["robust/corruption/saturate"]) / 2
    assert found["robust/corruption/extra_mean"] == pytest.approx(extra, abs=1e-6)
    assert found["robust/corruption/clean"] == pytest.approx(accuracy(pixels), abs=1e-6)
    assert found["robust/gap/corruption_extra"] == pytest.approx(accuracy(pixels) - extra, abs=1e-6)


def test_weights_are_bit_identical_with_and_without(tmp_path):
    _, plain = fit(tmp_path / "a", [], data=data(), validation=data())
    watching = CorruptionEvaluation(**FEW, images=8)
    _, watched = fit(tmp_path / "b", [watching], data=data(), validation=data(), logger=board(tmp_path / "b"))
    assert torch.equal(weights(plain), weights(watched))


class Remembering(CorruptionEvaluation):
    seen: list[Chunk]

    def look(self, trainer, pl_module, chunk):
        self.seen = [*getattr(self, "seen", []), chunk]
        super().look(trainer, pl_module, chunk)


def test_the_same_images_every_epoch_and_no_sanity_check(tmp_path):
    callback = Remembering(**FEW, images=10, batch_size=5)
    fit(tmp_path, [callback], epochs=3, data=data(), validation=data())
    assert [len(chunk) for chunk in callback.seen] == [5, 5] * 3
    ids = [chunk.ids.tolist() for chunk in callback.seen]
    assert ids[:2] * 3 == ids


def test_a_rotation_shows_cells_and_logs_means_after_a_full_turn(tmp_path):
    fit(
        tmp_path,
        [CorruptionEvaluation(**FEW, images=8, rotate=3)],
        epochs=4,
        data=data(),
        validation=data(),
        logger=board(tmp_path),
    )
    events = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    keys = events.Tags()["scalars"]
    steps = {key: [event.step for event in events.Scalars(key)] for key in keys if key.startswith("robust/")}
    assert len(steps["robust/corruption/extra_mean"]) == 4
    assert len(steps["robust/corruption/fog/1"]) == 2  # turns of three: epochs 0 and 3
    assert len(steps["robust/corruption/fog/3"]) == 1
    assert len(steps["robust/corruption/mean"]) == 1
    assert steps["robust/corruption/fog"] == steps["robust/corruption/mean"] == steps["robust/corruption/fog/5"]
    assert {"robust/heat_map", "robust/severity_curves", "robust/radar", "robust/worst_cells"} <= set(
        events.Tags()["images"]
    )


def turns(callback, count):
    """The cells of so many evaluations, and after which of them a mean was known."""
    trainer = pl.Trainer(logger=False, accelerator="cpu", enable_progress_bar=False, enable_model_summary=False)
    trainer.state.fn = "fit"
    cells, means = [], []
    for number in range(count):
        callback.begin(trainer, Foreign())
        now = {cell.key: 0.1 * number for cell in callback._now}
        cells.append(set(now))
        if "mean" in callback._shown_figures(now):
            means.append(number)
    return cells, means


@pytest.mark.parametrize("rotate", [2, 4, 7, 8])
def test_a_rotation_that_does_not_divide_the_cells_shows_all_of_them_once_a_turn(rotate):
    callback = CorruptionEvaluation(**FEW, rotate=rotate)
    a_turn = -(-9 // rotate)
    cells, means = turns(callback, 2 * a_turn)
    assert means == [a_turn - 1, 2 * a_turn - 1]
    for turn in (cells[:a_turn], cells[a_turn:]):
        assert sum(map(len, turn)) == len(set.union(*turn)) == 9


def test_a_resume_with_other_cells_starts_a_new_turn():
    first = CorruptionEvaluation(**FEW, rotate=3)
    first._next, first._turn = 3, {("fog", 1): 0.5}
    second = CorruptionEvaluation(FEW["monitored"], ["snow"], rotate=2)
    second.load_state_dict(first.state_dict())
    assert (second._next, second._turn) == (0, {})


def test_a_diverged_model_does_not_keep_its_old_score():
    callback = CorruptionEvaluation(**FEW, rotate=3)
    nothing = CellScore(math.nan, 4, math.nan, math.nan)
    found = {cell.key: nothing for cell in (*callback.monitored, *callback.shown)}
    callback._now = callback.shown[:3]
    assert math.isnan(callback._figures({CLEAN: nothing, **found})["robust/corruption/extra_mean"])


def test_the_rotation_goes_on_after_a_resume():
    first = CorruptionEvaluation(**FEW, rotate=3)
    first._next, first._turn = 3, {("fog", 1): 0.5}
    second = CorruptionEvaluation(**FEW, rotate=3)
    second.load_state_dict(first.state_dict())
    assert (second._next, second._turn) == (3, {("fog", 1): 0.5})


def test_every_n_epochs_and_a_checkpoint_by_its_key(tmp_path):
    best = BestCheckpoint("robust/corruption/extra_mean", filename="best_robust")
    callback = CorruptionEvaluation(**FEW, images=8, every_n_epochs=2, pictures=False)
    fit(tmp_path, [callback, best], epochs=4, data=data(), validation=data(), logger=board(tmp_path))
    assert (tmp_path / "checkpoints/best_robust.ckpt").is_file()
    events = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0})
    events.Reload()
    assert len(events.Scalars("robust/corruption/extra_mean")) == 2


def test_it_works_in_validate_and_test_under_inference_mode(tmp_path):
    class Tested(Foreign):
        def test_step(self, batch, batch_idx):
            self.validation_step(batch, batch_idx)

    for run in ("validate", "test"):
        trainer = pl.Trainer(
            default_root_dir=tmp_path,
            callbacks=[CorruptionEvaluation(**FEW, images=8)],
            accelerator="cpu",
            logger=False,
            enable_progress_bar=False,
        )
        getattr(trainer, run)(Tested(), data(), verbose=False)
        prefix = {"validate": "", "test": "test/"}[run]
        assert f"{prefix}robust/corruption/mean" in trainer.callback_metrics
        assert f"{prefix}robust/corruption/extra_mean" in trainer.callback_metrics


def test_a_cap_on_time_leaves_out_shown_cells_and_says_so(tmp_path):
    with pytest.warns(UserWarning, match="did not fit into max_seconds"):
        found, _ = evaluated(tmp_path, CorruptionEvaluation(**FEW, images=8, max_seconds=1e-6))
    assert "robust/corruption/extra_mean" in found
    assert "robust/corruption/fog" not in found


def test_warns_of_training_on_what_is_evaluated(tmp_path):
    callbacks = [Augmentation(PatchGaussian(patch_size=5)), CorruptionEvaluation(shown=["gaussian_noise"], images=4)]
    with pytest.warns(UserWarning, match=r"gaussian_noise \(PatchGaussian\)"):
        fit(tmp_path, callbacks, epochs=1, data=data(), validation=data())


def test_warns_of_selecting_by_what_is_for_reporting(tmp_path):
    callbacks = [CorruptionEvaluation(**FEW, images=4, rotate=None), BestCheckpoint("robust/corruption/mean")]
    with pytest.warns(UserWarning, match="independent ones to report"):
        fit(tmp_path, callbacks, epochs=1, data=data(), validation=data())


def test_warns_of_selecting_by_common_corruptions_under_another_name(tmp_path):
    callbacks = [CorruptionEvaluation(["fog"], [], images=4), BestCheckpoint("robust/corruption/extra_mean")]
    with pytest.warns(UserWarning, match="the figures of fog"):
        fit(tmp_path, callbacks, epochs=1, data=data(), validation=data())


def test_says_nothing_where_all_is_well(tmp_path):
    best = BestCheckpoint("robust/corruption/extra_mean")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", message=".*(workers|LeafSpec|not a TensorBoard).*")
        fit(tmp_path, [CorruptionEvaluation(**FEW, images=4), best], epochs=1, data=data(), validation=data())


def test_own_corruptions_go_where_names_go(tmp_path):
    def darker(images, severity, seeds):
        return images * (1 - severity / 10)

    found, _ = evaluated(tmp_path, CorruptionEvaluation([darker], [], images=8))
    assert "robust/corruption/darker" in found
    assert "robust/corruption/mean" not in found


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"monitored": ["fogg"]}, "try 'fog'"),
        ({"shown": EXTRA}, "twice"),
        ({"severities": (0,)}, "from 1 to 5"),
        ({"images": 0}, "at least one image"),
        ({"rotate": 0}, "rotate"),
        ({"every_n_epochs": 0}, "every_n_epochs"),
        ({"max_seconds": 0}, "max_seconds"),
        ({"preset": "imagnet"}, "try 'imagenet'"),
        ({"storage": "png"}, "jpeg85"),
        ({"monitored": ["perlin_noise"], "preset": "tiny"}, "published levels"),
        ({"severities": (3, 3)}, "every severity once"),
        ({"severities": ()}, "to take means of"),
        ({"monitored": ["fog"], "shown": [], "severities": (2.5,)}, "to take means of"),
    ],
)
def test_bad_settings_are_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        CorruptionEvaluation(**settings)


def test_the_defaults_keep_the_families_apart():
    callback = CorruptionEvaluation()
    assert {cell.corruption.name for cell in callback.monitored} == set(EXTRA)
    assert {cell.corruption.name for cell in callback.shown} == set(COMMON)
    assert not {cell.corruption.name for cell in (*callback.monitored, *callback.shown)} & set(BAR)


def test_two_processes_give_the_figures_of_one(tmp_path):
    script = Path(__file__).parent / "ddp_corruptions.py"
    for processes in (1, 2):
        run = subprocess.run(
            [sys.executable, str(script), str(tmp_path / f"{processes}.pt"), str(processes)],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, run.stderr[-2000:]
    one, two = torch.load(tmp_path / "1.pt"), torch.load(tmp_path / "2.pt")
    assert len(one) > 8
    assert one == two
