"""The test on images whose shape and texture disagree: which of the two does a model follow?"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustlit import __version__
from robustlit.evaluation.base import OTHER, Row
from robustlit.evaluation.records import Record

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.data.base import VisionDataModule
    from robustlit.evaluation.behaviour.shape_bias_scores import Categories

__all__ = ["ShapeBiasTest"]

_SPLIT = "cue_conflict"  # of the shapes data set


class ShapeBiasTest:
    """Shape bias (Geirhos et al., "ImageNet-trained CNNs are biased towards texture", ICLR 2019).

    Images whose shape and texture are of one category are left out. Shape bias is the share of decisions for the shape
    among those for the shape or the texture. A model of ImageNet's 1,000 classes decides for one of the 16 categories,
    by the mean of the probabilities of the classes that belong to it.

    ==================================  ==============================================================================
    metric                              meaning
    ==================================  ==============================================================================
    ``shape_bias``                      decisions for the shape / (for the shape + for the texture)
    ``shape``                           share of all images whose shape was named: 0 without any sense of it
    ``texture``                         share of all images whose texture was named
    ==================================  ==============================================================================

    Every figure is a rate with the interval of Wilson; n of the shape bias is the number of those decisions.

    Args:
        path: The folder of the cue-conflict images (a folder a shape, files ``shape1-texture2.png``); None for the
            data's own split of that name, which ``shapes`` has.
        mapping: Categories to the model's classes, as a CSV file (``class``, ``model_class``), a JSON file or a table;
            None for equal names, or for the 16 categories of a model of ImageNet's classes.
        images: How many images, chosen by a hash of their index; None for all.
        transforms: Evaluation transforms of the folder; None for the data's.

    Raises:
        ValueError: If there are no such images, or the model's classes cannot be told from its categories.
    """

    name = "shape_bias"

    def __init__(
        self,
        path: str | Path | None = None,
        mapping: str | Path | Mapping[str, Any] | None = None,
        images: int | None = None,
        transforms: Any = None,
    ) -> None:
        from robustlit.evaluation.passes.selection import Selection

        Selection(images)
        self.path, self.mapping, self.images, self.transforms = path, mapping, images, transforms
        self.records: list[Record] = []

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return the keys ``<test>/<metric>`` of what will be measured; raises already where the images do not fit."""
        self._open(datamodule)
        return [f"{self.name}/{metric}" for metric in ("shape_bias", "shape", "texture")]

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Measure, and return three rows."""
        from robustlit.evaluation.behaviour.shape_bias_scores import Deciding, shape_bias_records, shape_bias_rows
        from robustlit.evaluation.passes.judging import judge_images

        split, samples, categories = self._open(datamodule)
        judge = Deciding(categories, datamodule.num_classes)
        found = judge_images(judge, samples, module, datamodule, trainer, self.images)
        conditions = {
            "set": _SPLIT if self.path is None else Path(self.path).resolve().name,
            "categories": len(categories.names),
            "rule": categories.rule,
            "precision": str(trainer.precision),
            "version": __version__,
        }
        rows = shape_bias_rows(self.name, split, found, conditions)
        self.records = shape_bias_records(self.name, split, found, samples, categories.names)
        return rows

    def _open(self, datamodule: "VisionDataModule") -> "tuple[str, Any, Categories]":
        """Return the split of the rows, the images, and the categories."""
        from robustlit.data.errors import DataError
        from robustlit.data.samples import Samples
        from robustlit.evaluation.behaviour.class_mapping import named_classes
        from robustlit.evaluation.behaviour.cue_conflict import CueConflictFolder
        from robustlit.evaluation.behaviour.shape_bias_scores import categories_of, own_categories

        if datamodule.task != "classification":
            raise DataError(f"expected single-label classification for the shape bias, got {datamodule.task}")
        names = named_classes(datamodule.class_names, datamodule.num_classes)
        if self.path is None:
            samples = datamodule.test_sets.get(_SPLIT)
            if samples is None or "texture" not in samples[0]:
                raise DataError(
                    f"expected a test split {_SPLIT} whose samples carry their texture, got "
                    f"{', '.join(datamodule.test_sets)}; try evaluation.shape_bias.path=FOLDER, or data=shapes"
                )
            return _SPLIT, samples, own_categories(names)
        categories = categories_of(names, datamodule.num_classes, self.mapping)
        source = CueConflictFolder(self.path, categories.names, datamodule.channels)
        transforms = datamodule.eval_transforms if self.transforms is None else self.transforms
        count = len(categories.names)
        folder = Samples(
            source, transforms, seed=0, task="classification", num_classes=count, channels=datamodule.channels
        )
        return OTHER, folder, categories
