"""The test on another data set whose classes are the model's, or are mapped to them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustlit import __version__
from robustlit.evaluation.base import Row
from robustlit.evaluation.records import Record

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.data.base import VisionDataModule
    from robustlit.evaluation.behaviour.class_mapping import ClassMapping
    from robustlit.evaluation.passes.other_sets import OtherSet

__all__ = ["TransferTest"]


class TransferTest:
    """How good a classifier is on images of another source: other cameras, drawings, other places, other labels.

    The classes of the set are mapped to the model's, several to one or one to several, where a prediction of any of
    them is right; images of classes that are none of the model's are left out and counted. Folders of ImageNet-A, -R,
    -V2, -Sketch and ObjectNet map themselves, and are scored as published: for ImageNet-A and -R the model chooses
    among their 200 classes. ImageNet-O shows none of the model's classes: it is told from the data's own test images
    by the confidence among its 200 classes (Hendrycks et al., CVPR 2021).

    ==================================  ==============================================================================
    metric                              meaning
    ==================================  ==============================================================================
    ``accuracy``                        share of the images that are mapped, with the interval of Wilson
    ``mean_class_accuracy``             mean over the set's classes
    ``calibration_error``               of the confidence among the classes that the model chose from
    ``aupr``, ``auroc``, ``fpr95``      of ImageNet-O only; its images are the positives
    ==================================  ==============================================================================

    Args:
        data: A folder of class folders, an ``.npz`` file, or a data module.
        mapping: A CSV file (columns ``class`` and ``model_class``), a JSON file or a table; None for the layout's, or
            equal names.
        layout: "imagenet", "imagenet_a", "imagenet_o", "imagenet_r", "imagenet_v2", "imagenet_sketch", "objectnet",
            "none", or "auto" to see it from the names of the folders.
        restrict: Whether the model chooses among the mapped classes alone; None for as published, else among all.
        name: Name of the test; None for that of the folder, the file or the class.
        splits: Which splits of the set; None for its test splits, else its validation split, else all images.
        images: How many images, chosen by a hash of their index; None for all.
        transforms: Evaluation transforms; None for the data's, or a data module's own.

    Raises:
        ValueError: If the set or the table is missing or does not fit the model, or the layout is unknown.
        TypeError: If ``data`` is none of these.
    """

    def __init__(
        self,
        data: Any,
        mapping: str | Path | Mapping[str, Any] | None = None,
        layout: str = "auto",
        restrict: bool | None = None,
        name: str | None = None,
        splits: Sequence[str] | None = None,
        images: int | None = None,
        transforms: Sequence[Any] | None = None,
    ) -> None:
        from robustlit.core.names import lookup
        from robustlit.evaluation.behaviour.imagenet_layouts import LAYOUTS
        from robustlit.evaluation.passes.selection import Selection

        lookup("layout", layout, {**LAYOUTS, "auto": None, "none": None})
        Selection(images)
        self.data, self.mapping, self.layout, self.restrict = data, mapping, layout, restrict
        self.given_name, self.splits, self.images, self.transforms = name, splits, images, transforms
        self.records: list[Record] = []
        self._opened: OtherSet | None = None

    @property
    def name(self) -> str:
        """Name of the test."""
        return self.given_name or (Path(self.data).stem if isinstance(self.data, str | Path) else "transfer")

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return the keys ``<test>/<metric>`` of what will be measured; raises already where the set does not fit."""
        other = self._open(datamodule)
        layout, _ = self._map(other, datamodule)
        metrics = ("aupr", "auroc", "fpr95") if layout == "imagenet_o" else _METRICS
        return [f"{test}/{metric}" for test in _tests(other) for metric in metrics]

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Measure every split of the set."""
        from robustlit.evaluation.behaviour.transfer_unknown import unknown_rows

        self.records = []
        other = self._open(datamodule)
        layout, mapping = self._map(other, datamodule)
        conditions = {
            "set": other.name,
            "layout": layout or "none",
            "mapping": mapping.source,
            "predictions": _among(mapping, datamodule.num_classes),
            "transforms": other.transforms,
            "precision": str(trainer.precision),
            "version": __version__,
        }
        rows: list[Row] = []
        for test, samples in zip(_tests(other), other.samples.values(), strict=True):
            if layout == "imagenet_o":
                rows += unknown_rows(test, samples, mapping, conditions, module, datamodule, trainer, self.images)
            else:
                rows += self._score(test, samples, mapping, conditions, module, datamodule, trainer)
        return rows

    def _open(self, datamodule: "VisionDataModule") -> "OtherSet":
        from robustlit.evaluation.passes.other_sets import open_other

        if self._opened is None:
            self._opened = open_other(self.data, datamodule, self.given_name, self.splits, self.transforms)
        return self._opened

    def _map(self, other: "OtherSet", datamodule: "VisionDataModule") -> "tuple[str | None, ClassMapping]":
        """Return the layout, if it is one, and the classes."""
        from dataclasses import replace

        from robustlit.evaluation.behaviour.class_mapping import by_names, by_table, named_classes, table_of
        from robustlit.evaluation.behaviour.imagenet_layouts import IMAGENET_CLASSES, imagenet_mapping, layout_of
        from robustlit.metrics.mce import has_wordnet_names

        names, count = other.class_names, datamodule.num_classes
        own = named_classes(datamodule.class_names, count)
        if self.mapping is not None:
            layout, found = None, by_table(names, own, *table_of(self.mapping))
        else:
            seen = layout_of(names) if count == IMAGENET_CLASSES or has_wordnet_names(own) else None
            layout = {"auto": seen, "none": None}.get(self.layout, self.layout)
            if layout is not None:
                return layout, imagenet_mapping(layout, names, own, count, restrict=self.restrict)
            found = by_names(names, own)
        return layout, replace(found, kept=found.mapped) if self.restrict else found

    def _score(
        self,
        test: str,
        samples: Any,
        mapping: "ClassMapping",
        conditions: Mapping[str, Any],
        module: "LightningModule",
        datamodule: "VisionDataModule",
        trainer: "Trainer",
    ) -> list[Row]:
        from robustlit.evaluation.behaviour.transfer_scores import (
            Choosing,
            mapped_part,
            transfer_records,
            transfer_rows,
        )
        from robustlit.evaluation.passes.judging import judge_images

        part, left_out = mapped_part(samples, mapping)
        judge = Choosing(mapping, datamodule.num_classes)
        found = judge_images(judge, part, module, datamodule, trainer, self.images)
        facts = {
            **conditions,
            "classes": f"{len(mapping.names) - len(mapping.left_out)} of {len(mapping.names)}",
            "left_out_images": left_out,
        }
        self.records += transfer_records(test, found, part, mapping, datamodule.class_names)
        return transfer_rows(test, found, facts)


_METRICS = ("accuracy", "mean_class_accuracy", "calibration_error")


def _tests(other: "OtherSet") -> list[str]:
    """The name of the test of every split."""
    return [other.name] if len(other.samples) == 1 else [f"{other.name}-{split}" for split in other.samples]


def _among(mapping: "ClassMapping", num_classes: int) -> str:
    if mapping.kept is None:
        return f"among all {num_classes:,} classes"
    return f"among {len(mapping.kept):,} of {num_classes:,} classes"
