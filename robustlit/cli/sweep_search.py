"""A search by Optuna that goes on where it stopped: its study is in the sweep's folder."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from robustlit.cli.sweep_plan import Plan

__all__ = ["go_on_searching"]


def go_on_searching(plan: Plan, folder: Path) -> list[str] | None:
    """Prepare the study for another session.

    Trials that were stopped or failed are put back in the queue with the settings they had, so that they find their
    folders again. The sampler's seed is 0 unless it is given; it goes on with other random numbers than it began with.

    Args:
        plan: The sweep.
        folder: Where it is kept now.

    Returns:
        Settings of the sweeper for this session; None where no trial is left.
    """
    import optuna

    optuna.logging.set_verbosity(logging.ERROR)
    sweeper = plan.cfg.hydra.sweeper
    storage = f"sqlite:///{folder / 'study.db'}" if _is_ours(sweeper.storage) else sweeper.storage
    settings = [f"hydra.sweeper.storage='{storage}'"] if storage else []
    if plan.is_here and "hydra.sweeper.n_jobs" not in {word.partition("=")[0] for word in plan.words}:
        settings.append("hydra.sweeper.n_jobs=1")  # each trial is chosen after the one before has ended
    trials = _requeue(optuna, storage, sweeper.study_name) if storage else []
    finished = sum(trial.state == optuna.trial.TrialState.COMPLETE for trial in trials)
    left = int(sweeper.n_trials) - finished
    if left <= 0:
        return None
    if "seed" in (sweeper.get("sampler") or {}):
        settings.append(f"hydra.sweeper.sampler.seed={int(sweeper.sampler.seed or 0) + len(trials)}")
    return [*settings, f"hydra.sweeper.n_trials={left}"]


def _is_ours(storage: object) -> bool:
    """Whether the storage is the sweep's own file, which is where the sweep is."""
    return isinstance(storage, str) and storage.startswith("sqlite:///") and storage.endswith("/study.db")


def _requeue(optuna: Any, storage: str, name: str) -> Sequence[Any]:
    """Put trials that did not finish back in the queue; returns every trial that has ended."""
    state = optuna.trial.TrialState
    try:
        study = optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        return []
    trials = study.get_trials()
    done = [trial.params for trial in trials if trial.state == state.COMPLETE]
    queued = [trial.system_attrs.get("fixed_params") for trial in trials if trial.state == state.WAITING]
    for trial in trials:
        if trial.state == state.RUNNING:
            study._storage.set_trial_state(trial._trial_id, state.FAIL)
        if trial.state in (state.RUNNING, state.FAIL) and trial.params and trial.params not in [*done, *queued]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # it is what later versions have
                study.enqueue_trial(trial.params)
            queued.append(trial.params)
    return [trial for trial in trials if trial.state != state.WAITING]
