"""Two processes find what one finds, in the tests that look at single images."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch


@pytest.mark.slow
def test_two_processes_find_what_one_finds(tmp_path):
    script = Path(__file__).with_name("ddp_other_sets.py")
    found = []
    for processes in (1, 2):
        out = tmp_path / f"{processes}.pt"
        command = [sys.executable, str(script), str(out), str(processes), str(tmp_path)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ})
        assert result.returncode == 0, result.stderr
        found.append(torch.load(out))
    pairs = zip(found[0]["figures"], found[1]["figures"], strict=True)
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
    assert found[0]["pictures"] == found[1]["pictures"]
    assert len(found[0]["figures"]) > 40
    assert len({figure[3] for figure in found[0]["figures"]}) > 10
