"""How many jobs a machine takes at once, counted without importing torch."""

import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["cores", "gpus", "jobs_at_once", "threads_of_a_job"]

DEVICES = Path("/dev")


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus(environment: Mapping[str, str] | None = None, devices: Path = DEVICES) -> list[str]:
    """Return the NVIDIA GPUs that a process may use, as ``CUDA_VISIBLE_DEVICES`` names them.

    Args:
        environment: The environment; that of the process when None.
        devices: Where the system lists them.

    Example:
        >>> gpus({"CUDA_VISIBLE_DEVICES": "2,3"})
        ['2', '3']
    """
    chosen = (os.environ if environment is None else environment).get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [word.strip() for word in chosen.split(",") if word.strip() not in ("", "-1")]
    found = (path.name.removeprefix("nvidia") for path in devices.glob("nvidia*"))
    return sorted((number for number in found if number.isdigit()), key=int)


def jobs_at_once() -> int:
    """Return how many jobs of a sweep run together: one a GPU, or one a core where there is no GPU."""
    return len(gpus()) or cores()


def threads_of_a_job(at_once: int, environment: Mapping[str, str] | None = None) -> int:
    """Return the CPU threads of one job, so that all of them together fill the cores and no more.

    Args:
        at_once: How many jobs run together.
        environment: The environment; that of the process when None. What SLURM gave to the job comes first.

    Example:
        >>> threads_of_a_job(2, {"SLURM_CPUS_PER_TASK": "6"})
        6
    """
    granted = (os.environ if environment is None else environment).get("SLURM_CPUS_PER_TASK", "")
    return int(granted) if granted.isdigit() else max(1, cores() // max(1, at_once))
