"""Run folders with figures and records, made without a model."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from robustlit.corruptions import COMMON, EXTRA
from robustlit.evaluation import Row
from robustlit.evaluation.corrupted.corruption_rows import corruption_rows
from robustlit.evaluation.records import Record
from robustlit.metrics.cells import CLEAN, CellScore
from robustlit.metrics.interval import wilson
from robustlit.reports.loading import find_runs
from robustlit.reports.record_files import write_records
from robustlit.reports.results import Chosen, Results
from robustlit.reports.verdict import verdict
from robustlit.reports.view import View

N = 200
CONDITIONS = {
    "preset": "cifar",
    "size": "32×32",
    "evaluation_seed": 0,
    "frost": "procedural",
    "storage": "none",
    "masks": "as published",
    "precision": "32-true",
    "version": "0.1.0",
}
SEVERITIES = (1, 3, 5)
EPS = (2 / 255, 4 / 255, 8 / 255)


def rate(right: np.ndarray) -> CellScore:
    return CellScore(float(right.mean()), len(right), *wilson(int(right.sum()), len(right)), 0.1)


def answers(seed: int, base: float = 0.9, weak: str = "impulse_noise", strength: float = 0.0) -> dict[str, np.ndarray]:
    """Which of N images are right in every cell: the easy ones stay right longest."""
    draws = np.random.default_rng(seed)
    ease = np.sort(draws.random(N))[draws.permutation(N)]
    found = {"clean": ease < base}
    for place, name in enumerate((*EXTRA, *COMMON)):
        label = "frost_procedural" if name == "frost" else name
        cost = (0.13 if name == weak else 0.02 + 0.003 * place) * (1 - strength)
        found |= {f"{label}/{severity}": ease < base - cost * severity for severity in SEVERITIES}
    return found


def rows_of(right: dict[str, np.ndarray], **conditions: object) -> list[Row]:
    clean = rate(right["clean"])
    rows = [Row("clean", "iid", "accuracy", clean.score, clean.low, clean.high, clean.n)]
    rows.append(Row("clean", "cue_conflict", "accuracy", 0.2, 0.15, 0.26, N))
    for family, names in (("extra", EXTRA), ("common", COMMON)):
        labels = ["frost_procedural" if name == "frost" else name for name in names]
        measured = {(label, s): rate(right[f"{label}/{s}"]) for label in labels for s in SEVERITIES}
        facts = CONDITIONS | {"cells": f"{len(measured)} of {5 * len(labels)}"} | conditions
        rows += corruption_rows(
            family, "iid", "accuracy", {CLEAN: clean, **measured}, list(measured), facts, "no ImageNet"
        )
    return rows


def attack_rows(clean: float = 0.9, steps: int = 50, **conditions: object) -> list[Row]:
    facts = {"score": "accuracy", "evaluation_seed": 0, "precision": "float32", "version": "0.1.0", **conditions}
    rows = [Row("adversarial", "iid", "clean", clean, *wilson(round(clean * N), N), N, {**facts, "attack": "none"})]
    for value, eps in zip((0.6, 0.3, 0.05), EPS, strict=True):
        one = {**facts, "attack": "PGD", "norm": "linf", "eps": eps, "steps": steps, "restarts": 1, "loss": "ce"}
        metric = f"pgd_linf_{round(eps * 255)}of255"
        rows.append(Row("adversarial", "iid", metric, value, *wilson(round(value * N), N), N, one))
    return rows


def make_run(
    folder: Path,
    *,
    seed: int = 0,
    augmentation: str = "none",
    strength: float = 0.0,
    rows: list[Row] | None = None,
    records: list[Record] | None = None,
    checkpoint: str = "best_robust",
    **changes: object,
) -> Path:
    """Write a finished run whose robustness grows with ``strength``."""
    right = answers(seed, strength=strength)
    results = Results(
        names={"experiment": "quickstart", "data": "shapes", "model": "small_cnn", "augmentation": augmentation},
        seed=seed,
        epochs=6,
        steps=564,
        seconds=90.5,
        headline="val/accuracy",
        selected_on={"best_robust": Chosen("robust/corruption/extra_mean", 0.7 + strength / 10 + seed / 100, 4)},
        tests={checkpoint: rows_of(right) if rows is None else rows},
        validation={"val/accuracy": 0.9, "robust/corruption/extra_mean": 0.7},
        versions={"robustlit": "0.1.0", "torch": "2.9.0", "python": "3.11", "cpu": "two cores"},
    )
    folder.mkdir(parents=True)
    replace(results, **changes).write(folder / "results.json")
    config = f"seed: {seed}\naugmentation:\n  {augmentation}: {{seed: {seed}}}\n"
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    (folder / ".hydra").mkdir()
    overrides = json.dumps(["experiment=quickstart", f"augmentation={augmentation}", f"seed={seed}"])
    (folder / ".hydra" / "overrides.yaml").write_text(overrides, encoding="utf-8")
    kept = outcome_records(right) if records is None else records
    write_records(kept, folder, checkpoint)
    return folder


def view_of(folder: Path, **options: str) -> View:
    (run,), _ = find_runs([folder])
    return View.of(run, **options)


def sentences(view: View) -> dict[str, str]:
    return {each.topic: each.text for each in verdict(view)}


def outcome_records(right: dict[str, np.ndarray]) -> list[Record]:
    index = np.arange(N, dtype=np.int64)
    families = {"extra": EXTRA, "common": COMMON}
    found = [Record("clean", "iid", "outcomes", "", {"index": index, "clean": right["clean"]})]
    for family, names in families.items():
        own = {name: flags for name, flags in right.items() if name.split("/")[0].removesuffix("_procedural") in names}
        found.append(Record(family, "iid", "outcomes", "", {"index": index, "clean": right["clean"], **own}))
    return found


def other_records(split: str = "iid") -> list[Record]:
    """One record of every further kind."""
    confidence = [0.55, 0.65, 0.75, 0.85, 0.95]
    bins = {"confidence": confidence, "accuracy": [0.4, 0.5, 0.6, None, 0.8], "count": [5, 10, 20, 0, 165]}
    image = np.full((40, 60, 3), 128, np.uint8)
    slices = {"name": ["north", "south"], "n": [120, 80], "value": [0.95, 0.7], "low": [0.9, 0.6], "high": [0.98, 0.79]}
    roc = {
        "x": [0.0, 0.2, 1.0],
        "y": [0.0, 0.7, 1.0],
        "x_label": "false positive rate",
        "y_label": "true positive rate",
    }
    return [
        Record("calibration", split, "reliability", "clean", {**bins, "ece": 0.12, "temperature": 1.0}),
        Record("calibration", split, "reliability", "clean_scaled", {**bins, "ece": 0.04, "temperature": 1.7}),
        Record("slices", split, "slices", "site", {**slices, "column": "site", "metric": "accuracy"}),
        Record("ood", split, "curve", "textures", {**roc, "title": "textures"}),
        Record("common", split, "picture", "impulse_noise/5", {"image": image, "caption": "impulse noise, severity 5"}),
    ]


def add_panel(folder: Path, name: str = "failures") -> None:
    path = folder / "explanations" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((30, 50, 3), 200, np.uint8)).save(path)
