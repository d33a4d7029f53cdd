"""The command works from a wheel and from an editable install, as a script and with -m."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OFFLINE = ("--no-build-isolation", "--no-index")  # hatchling, which builds, comes with the dev extra


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["wheel", pytest.param("editable", marks=pytest.mark.slow)])
def installed(request, tmp_path_factory) -> tuple[str, Path]:
    """A new environment that sees the dependencies of this one, with robustlit installed in one of the two ways."""
    folder = tmp_path_factory.mktemp(request.param)
    place = folder / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", place, cwd=folder)
    (site,) = place.glob("lib/python*/site-packages")
    (site / "zz_dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    pip = (sys.executable, "-m", "pip", "-q")
    if request.param == "wheel":
        pytest.importorskip("hatchling", reason="hatchling is missing; install the dev extra")
        run(*pip, "wheel", "--no-deps", *OFFLINE, "-w", folder, ROOT, cwd=folder)
        what: list[object] = [*OFFLINE, *folder.glob("robustlit-*.whl")]
    else:
        what = ["-e", ROOT]
    run(*pip, "--python", place / "bin" / "python", "install", "--no-deps", "--ignore-installed", *what, cwd=folder)
    return request.param, place


@pytest.mark.parametrize("way", ["script", "-m"])
def test_the_command_finds_its_configuration(way, installed, tmp_path):
    kind, place = installed
    command = [place / "bin" / "robustlit"] if way == "script" else [place / "bin" / "python", "-m", "robustlit"]
    assert "cifar10_resnet18" in run(*command, "train", "--help", cwd=tmp_path)
    composed = run(*command, "train", "experiment=quickstart", "--cfg", "job", cwd=tmp_path)
    assert "run_name: quickstart" in composed
    code = "from robustlit.cli.config import config_dir; print(config_dir())"
    found = Path(run(place / "bin" / "python", "-c", code, cwd=tmp_path).strip())
    assert found.is_relative_to(place if kind == "wheel" else ROOT)
