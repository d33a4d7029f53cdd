"""Two processes log the figures of one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def figures(world):
    root = Path(__file__).parents[2]
    search = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    result = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("ddp_scores.py")), str(world)],
        env=os.environ | {"PYTHONPATH": search, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    logged = json.loads(next(line for line in result.stdout.splitlines() if line.startswith("{")))
    del logged["train/loss_step"]  # of the first process's share of the last batch
    return logged


@pytest.mark.slow
def test_two_processes_log_the_figures_of_one():
    assert figures(2) == pytest.approx(figures(1), abs=1e-5)
