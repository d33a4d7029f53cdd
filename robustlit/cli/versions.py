"""The versions that a result depends on."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version

from robustlit import __version__

__all__ = ["machine", "packages"]

PACKAGES = (
    "torch",
    "torchvision",
    "pytorch-lightning",
    "torchmetrics",
    "hydra-core",
    "albumentations",
    "tensorboard",
    "numpy",
)


def packages() -> dict[str, str]:
    """Return the versions of Python and the packages, read from their metadata without importing them."""
    found = {"robustlit": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine() -> dict[str, str | int | None]:
    """Return what the run ran on: system, cores, CUDA, GPU, git commit of the working directory. Imports torch."""
    import torch

    gpu = torch.cuda.is_available()
    return {
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "cuda": torch.version.cuda if gpu else None,
        "gpu": torch.cuda.get_device_name() if gpu else None,
        "git_commit": _git_commit(),
    }


def _git_commit() -> str | None:
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
