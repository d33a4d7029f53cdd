"""Paths that stay right, and commands that run as printed."""

import subprocess
import sys
from pathlib import Path

from omegaconf import OmegaConf

from robustlit.cli import paths
from robustlit.cli.paths import make_absolute, program


def test_paths_become_absolute_and_names_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    (tmp_path / "own.pt").touch()
    cfg = OmegaConf.create(
        {"data": {"path": "a/../b", "groups": None, "cache_dir": "~/c"}, "model": {"weights": "own.pt"}}
    )
    make_absolute(cfg)
    assert cfg.data == {"path": str(tmp_path / "b"), "groups": None, "cache_dir": "/home/me/c"}
    assert cfg.model.weights == str(tmp_path / "own.pt")
    (tmp_path / "photos").mkdir()
    evaluation = {"slices": {"path": "own.pt"}, "ood": {"against": {"photos": "photos"}}, "shift": {"border": "photos"}}
    cfg = OmegaConf.create({"augmentation": {"style_fourier": {"styles": "photos"}}, "evaluation": evaluation})
    make_absolute(cfg)
    assert cfg.augmentation.style_fourier.styles == str(tmp_path / "photos")
    assert cfg.evaluation.slices.path == str(tmp_path / "own.pt")
    assert cfg.evaluation.ood.against.photos == str(tmp_path / "photos")
    assert cfg.evaluation.shift.border == "photos"  # no key for a path
    cfg = OmegaConf.create({"data": {}, "model": {"weights": "DEFAULT"}})
    make_absolute(cfg)
    assert cfg == {"data": {}, "model": {"weights": "DEFAULT"}}


def test_the_printed_command_runs_where_the_path_lacks_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(Path(sys.executable).parents[1])
    command = program()
    assert command != "robustlit"
    assert "usage: robustlit" in subprocess.run(f"{command} --help", shell=True, capture_output=True, text=True).stdout
    monkeypatch.setattr(paths.shutil, "which", lambda _: "/usr/bin/robustlit")
    assert program() == "robustlit"
