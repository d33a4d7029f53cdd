"""The test of confidence: is a model as sure as it is right, on clean and on corrupted images?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from robustlit import __version__
from robustlit.evaluation.base import VALIDATION, Row
from robustlit.evaluation.splits import size_of

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.data.base import VisionDataModule
    from robustlit.evaluation.confidence.calibration_visitor import CalibrationVisitor
    from robustlit.evaluation.corrupted.cells import CorruptionCell
    from robustlit.evaluation.passes.visiting import SplitPass
    from robustlit.evaluation.records import Record

__all__ = ["CalibrationTest"]

_METRICS = ("calibration_error", "adaptive_calibration_error", "nll", "brier")


class CalibrationTest:
    """Calibration errors, negative log-likelihood and Brier score, before and after temperature scaling.

    The temperature (Guo et al., ICML 2017) is fitted on the validation split by bisection on the negative
    log-likelihood, once, and never on what is tested; without a validation split there is none. Every split is gone
    through once: clean images, and all corrupted cells of each.

    ============================================  ====================================================================
    test / metric                                 meaning
    ============================================  ====================================================================
    ``calibration/calibration_error``             ECE in equal bins of confidence; ``noise_floor`` in its conditions is
                                                  what so many answers of a calibrated model would show by chance
    ``…/adaptive_calibration_error``              in bins of equally many answers
    ``…/classwise_calibration_error[/<label>]``   mean over classes of that of each class's own probability
    ``…/nll``, ``…/brier``                        in nats, and Brier's score, with 95 % intervals over images
    ``calibration_scaled/…``                      the same after temperature scaling, and ``temperature``
    ``corrupted_calibration/…``                   means over the corrupted cells; ``/<name>[/<severity>]`` after ECE
    ``corrupted_calibration_scaled/…``            the same after scaling, by the temperature of clean images
    ============================================  ====================================================================

    Labels of a multi-label task are answers of two classes each. Of a mask some valid pixels count, chosen by a hash of
    image and place. Records: reliability diagrams "clean", "corrupted" and both "_scaled".

    Args:
        corruptions: Families ("extra", "common", "bar"), names, corruptions or functions; none for clean images only.
        severities: 1 to 5.
        images: How many images of a split, the validation split too, chosen by a hash of their index; None for all.
        bins: Bins of confidence.
        pixels: How many pixels of a mask.
        preset: "imagenet", "tiny", "cifar", or "auto" by the size of the images.
        seed: Evaluation seed.
        frost: As for the corruption test.

    Raises:
        ValueError: For unknown names, or numbers out of range.
    """

    name = "calibration"

    def __init__(
        self,
        corruptions: Sequence[Any] = ("extra",),
        severities: Sequence[float] = (1, 2, 3, 4, 5),
        images: int | None = 5000,
        bins: int = 15,
        pixels: int = 256,
        preset: str = "auto",
        seed: int = 0,
        frost: str = "procedural",
    ) -> None:
        from robustlit.evaluation.corrupted.nearest_table import NearestTable
        from robustlit.evaluation.passes.selection import Selection

        Selection(images)
        for setting, value in (("bins", bins), ("pixels", pixels)):
            if value < 1:
                raise ValueError(f"expected {setting} of at least 1, got {value}; try leaving it out")
        self.corruptions, self.severities, self.frost = tuple(corruptions), tuple(severities), str(frost)
        self.images, self.bins, self.pixels = images, bins, pixels
        self.conditions = NearestTable(preset, seed)
        self.records: list[Record] = []
        self._cells(32, 32)

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return the keys ``<test>/<metric>`` of what will be measured."""
        own = [*_METRICS, "classwise_calibration_error"]
        if datamodule.task == "multilabel":
            own += [f"classwise_calibration_error/{name}" for name in _labels(datamodule)]
        scaled = [] if datamodule.val_set is None else ["_scaled"]
        keys = [f"{self.name}{after}/{metric}" for after in ("", *scaled) for metric in own]
        keys += [f"{self.name}_scaled/temperature"] if scaled else []
        for split in datamodule.test_sets.values():
            labels = {cell.key[0] for cell in self._cells(*size_of(split))}
            each = [f"calibration_error/{label}{end}" for label in sorted(labels) for end in ("", *self._ends())]
            corrupted = [*_METRICS, *each] if labels else []
            keys += [f"corrupted_{self.name}{after}/{metric}" for after in ("", *scaled) for metric in corrupted]
        return list(dict.fromkeys(keys))

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Fit the temperature, measure every split, and return the rows."""
        from robustlit.evaluation.confidence.calibration_visitor import CalibrationVisitor
        from robustlit.evaluation.passes.overlap import overlap_warning
        from robustlit.evaluation.passes.visiting import SplitPass

        self.records = []
        look = SplitPass(module, datamodule, trainer, self.images)
        fitted = self._fit(look, datamodule)
        rows: list[Row] = []
        for name, split in datamodule.test_sets.items():
            size = size_of(split)
            temperatures = [1.0, *([fitted["temperature"]] if "temperature" in fitted else [])]
            visitor = CalibrationVisitor(self._cells(*size), self.conditions, temperatures, self.pixels)
            look.visit(visitor, name, split)
            shared = {
                **fitted,
                **overlap_warning(split, datamodule, "the temperature was fitted"),
                "precision": str(trainer.precision),
            }
            rows += self._rows(name, visitor, shared, datamodule, size)
        return rows

    def _fit(self, look: "SplitPass", datamodule: "VisionDataModule") -> dict[str, Any]:
        """Return the temperature and what it was fitted on."""
        from robustlit.evaluation.passes.answer_visitor import AnswerVisitor
        from robustlit.metrics.temperature import COLDEST, HOTTEST, fit_temperature

        if datamodule.val_set is None:
            return {"fitted_on": "nothing: no validation split"}
        visitor = AnswerVisitor(self.pixels)
        look.visit(visitor, VALIDATION, datamodule.val_set)
        if visitor.answers is None:
            return {"fitted_on": "nothing: the validation split had no image"}
        found = visitor.answers
        temperature = fit_temperature(found.logits, found.targets)
        at_end = not COLDEST * 1.001 < temperature < HOTTEST / 1.001
        return {
            "temperature": temperature,
            "fitted_on": VALIDATION,
            "fitted_n": found.n,
            **({"warning": "the best temperature lies beyond the limits"} if at_end else {}),
        }

    def _rows(
        self,
        split: str,
        visitor: "CalibrationVisitor",
        fitted: dict[str, Any],
        datamodule: "VisionDataModule",
        size: tuple[int, int],
    ) -> list[Row]:
        from robustlit.evaluation.confidence import calibration_rows as made
        from robustlit.metrics.proper_scores import judge

        clean = visitor.clean
        if clean is None:
            return []
        labels = _labels(datamodule) if datamodule.task == "multilabel" else ()
        masks = datamodule.task == "segmentation"
        shared = {**fitted, **({"pixels": self.pixels} if masks else {}), "version": __version__}
        corrupted = {**shared, **self._described(visitor.cells, *size)}
        rows: list[Row] = []
        for place, temperature in enumerate(visitor.temperatures):
            after = "_scaled" if place else ""
            options: dict[str, Any] = {"labels": labels, "independent": datamodule.task == "classification"}
            test = f"{self.name}{after}"
            rows += made.clean_rows(test, split, clean, shared, temperature=temperature, bins=self.bins, **options)
            if place:
                rows.append(Row(test, split, "temperature", temperature, None, None, clean.n, shared))
            judged = judge(clean.logits, clean.targets, temperature)
            self.records.append(made.reliability_record(split, f"clean{after}", [judged], temperature, self.bins))
            if visitor.judged:
                cells = {cell: found[place] for cell, found in visitor.judged.items()}
                rows += made.cell_rows(f"corrupted_{test}", split, cells, clean.images, corrupted, self.bins)
                name = f"corrupted{after}"
                self.records.append(made.reliability_record(split, name, cells.values(), temperature, self.bins))
        return rows

    def _cells(self, height: int, width: int) -> "tuple[CorruptionCell, ...]":
        from robustlit.corruptions.families import FAMILIES, family
        from robustlit.corruptions.presets import choose_preset
        from robustlit.corruptions.weather.frost import Frost
        from robustlit.evaluation.corrupted.cells import cells_of

        preset = choose_preset(self.conditions.preset, height, width)
        names: list[Any] = []
        for each in self.corruptions:
            names += family(each, preset) if isinstance(each, str) and each in FAMILIES else [each]
        return cells_of([Frost(self.frost) if each == "frost" else each for each in names], self.severities)

    def _described(self, cells: "Sequence[CorruptionCell]", height: int, width: int) -> dict[str, Any]:
        tables = sorted({self.conditions.table(cell, height, width) for cell in cells})
        return {
            **self.conditions.describe(height, width),
            "preset": "+".join(tables),
            "corruptions": ", ".join(dict.fromkeys(cell.key[0] for cell in cells)),
            "cells": len(cells),
            "frost": self.frost,
        }

    def _ends(self) -> list[str]:
        return [f"/{severity:g}" for severity in self.severities]


def _labels(datamodule: "VisionDataModule") -> tuple[str, ...]:
    return tuple(datamodule.class_names) or tuple(map(str, range(datamodule.num_classes)))
