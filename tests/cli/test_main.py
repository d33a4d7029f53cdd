"""Help, versions and unknown commands: quick, and without torch."""

import subprocess
import sys
import time

import pytest

from robustlit.cli.main import main


@pytest.mark.parametrize("arguments", [[], ["--help"], ["train", "--help"], ["evaluate", "-h"], ["tensorboard", "-h"]])
def test_help_ends_well_and_shows_usage(arguments, capsys):
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("usage: robustlit")


def test_train_help_lists_every_option_of_every_group(capsys):
    from robustlit.cli.config import config_dir

    main(["train", "--help"])
    words = capsys.readouterr().out.split()
    missing = [str(path) for path in config_dir().glob("*/*.yaml") if path.stem not in words]
    assert missing == []


def test_unknown_command_names_the_nearest(capsys):
    assert main(["trian"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "did you mean 'train'?" in captured.err


def test_version_prints_the_installed_versions(capsys):
    import torch

    assert main(["version"]) == 0
    found = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert found["torch"] == torch.__version__.partition("+")[0]
    assert main(["version", "extra"]) == 2


@pytest.mark.alone
def test_the_first_message_comes_before_torch_is_imported(tmp_path):
    command = [sys.executable, "-X", "importtime", "-m", "robustlit", "train", f"hydra.run.dir={tmp_path / 'run'}"]
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}  # import times and messages in order
    start = time.perf_counter()
    with subprocess.Popen(command, **both) as process:
        before = []
        for line in process.stdout:
            if line.startswith("Training "):
                break
            before.append(line.rpartition("|")[2].strip())
        seconds = time.perf_counter() - start
        process.kill()
    assert "hydra.main" in before
    assert "torch" not in before
    assert seconds < 3  # 1.5 s on a machine that does nothing else


@pytest.mark.alone
def test_help_is_quick_and_imports_no_torch():
    code = "import sys; from robustlit.cli.main import main; main(['train', '--help']); print('torch' in sys.modules)"
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert time.perf_counter() - start < 3  # 1.5 s on a machine that does nothing else
    assert done.stdout.splitlines()[-1] == "False"
