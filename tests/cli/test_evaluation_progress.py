"""What is seen while tests run: a line each, and bars in a terminal only."""

import re
import shutil
import sys
import warnings

import pytest

from robustlit.cli.main import main
from robustlit.cli.run import quiet

TESTS = ("splits=[iid]", "evaluation=[clean,shift]")
LINES = [r"clean \(1 of 2\): \d+\.\d s", r"shift \(2 of 2\): \d+\.\d s"]


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished run, to write into."""
    return shutil.copytree(finished, tmp_path / "run", ignore=shutil.ignore_patterns("evaluations"))


def test_a_log_gets_a_line_a_test_and_no_bar(run, capsys):
    assert main(["evaluate", str(run), *TESTS]) == 0
    captured = capsys.readouterr()
    first, *lines = captured.out.splitlines()[:3]
    assert first.startswith("Evaluating best_clean of ")
    assert all(re.fullmatch(*pair) for pair in zip(LINES, lines, strict=True))
    assert "Testing" not in captured.out + captured.err
    assert "\r" not in captured.out + captured.err


def test_a_terminal_gets_bars_that_name_the_test(run, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["evaluate", str(run), *TESTS]) == 0
    out = capsys.readouterr().out
    assert "clean (1 of 2) DataLoader 0" in out
    assert "shift (2 of 2) DataLoader 0" in out
    assert all(re.search(line, out) for line in LINES)


def test_a_bar_can_be_switched_off(run, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["evaluate", str(run), "+trainer.enable_progress_bar=false", *TESTS]) == 0
    assert "DataLoader" not in capsys.readouterr().out


def test_a_warning_is_one_line_without_a_path(monkeypatch):
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)  # put back in the end
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    quiet()
    assert warnings.formatwarning("two\n  lines", UserWarning, "a.py", 3) == "robustlit: warning: two lines\n"
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    assert warnings.formatwarning("two", UserWarning, "a.py", 3).endswith(" two (UserWarning in a.py:3)\n")
