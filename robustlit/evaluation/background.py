"""The test on images whose background is another, or gone: how much does a model rely on it?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustlit import __version__
from robustlit.evaluation.base import Row
from robustlit.evaluation.records import Record

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.data.base import VisionDataModule

__all__ = ["BackgroundTest"]


class BackgroundTest:
    """Background reliance, with known masks (after Xiao, Engstrom, Ilyas and Madry, "Noise or signal", ICLR 2021).

    The object is cut out along its mask and put on the background of another image, of another class where possible
    (``swapped``), or on grey (``removed``); and taken out of its own background (``alone``). What an object hid is
    filled in from its surroundings.

    ==================================  ==============================================================================
    metric                              meaning
    ==================================  ==============================================================================
    ``<score>``                         of the images as they are: ``accuracy``, or ``iou`` in segmentation
    ``swapped``, ``removed``            the same score of the object on another background, or on grey
    ``alone``                           of the background without the object (not in segmentation): what is above
                                        chance was read off the background
    ``gap/swapped``, ``gap/removed``    the first less the second, with the paired interval over the same images
    ``changed/swapped``, ``…/removed``  share of images whose answer changes (not in segmentation)
    ==================================  ==============================================================================

    Args:
        masks: A folder of masks for data of image files, with the same tree and names, not 0 on the object; None where
            the samples carry them, as those of ``shapes`` do, or for segmentation.
        background: For segmentation, the classes that are background; several count as one.
        images: How many images of a split, chosen by a hash of their index; None for all.
        seed: Evaluation seed: which image's background.

    Raises:
        ValueError: If there are no masks.
    """

    name = "background"

    def __init__(
        self,
        masks: str | Path | None = None,
        background: Sequence[int] = (0,),
        images: int | None = 1000,
        seed: int = 0,
    ) -> None:
        from robustlit.evaluation.passes.selection import Selection

        Selection(images)
        self.masks, self.background = masks, tuple(background)
        self.images, self.seed = images, seed
        self.records: list[Record] = []

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return the keys ``<test>/<metric>`` of what will be measured; raises already where there are no masks."""
        from robustlit.evaluation.behaviour.background_scores import versions_for
        from robustlit.evaluation.behaviour.decided import SCORE

        for samples in datamodule.test_sets.values():
            self._cut(samples, datamodule)
        score, masks = SCORE[datamodule.task], datamodule.task == "segmentation"
        found = [score, *versions_for(masks)]
        found += [f"gap/{version}" for version in ("swapped", "removed")]
        found += [] if masks else [f"changed/{version}" for version in ("swapped", "removed")]
        return [f"{self.name}/{metric}" for metric in found]

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Measure every split."""
        from robustlit.core import Adapter
        from robustlit.evaluation.behaviour.background_scores import Replacing, background_records, background_rows
        from robustlit.evaluation.passes.judging import judge_images

        self.records = []
        rows: list[Row] = []
        adapter = Adapter.for_module(module)
        for split, samples in dict(datamodule.test_sets).items():
            cut = self._cut(samples, datamodule)
            found = judge_images(Replacing(adapter, self.background), cut, module, datamodule, trainer, self.images)
            conditions: Mapping[str, Any] = {
                "masks": "of the data" if self.masks is None else Path(self.masks).name,
                **({"background": _words(self.background)} if datamodule.task == "segmentation" else {}),
                "evaluation_seed": self.seed,
                "precision": str(trainer.precision),
                "version": __version__,
            }
            rows += background_rows(self.name, split, found, conditions, adapter.ignore_index)
            self.records += background_records(self.name, split, found, cut)
        return rows

    def _cut(self, samples: Any, datamodule: "VisionDataModule") -> Any:
        """Return a split with masks and other backgrounds."""
        from torch.utils.data import Subset

        from robustlit.data.samples import Samples
        from robustlit.evaluation.behaviour.cut_out import CutOut, MaskFiles

        if self.masks is not None:
            samples = Samples(
                Subset(MaskFiles(samples.source, self.masks), list(samples.indices)),
                datamodule.eval_transforms,
                seed=0,
                task=datamodule.task,
                num_classes=datamodule.num_classes,
                channels=datamodule.channels,
                ignore_index=datamodule.ignore_index,
            )
        return CutOut(samples, self.background, datamodule.ignore_index, self.seed)


def _words(background: Sequence[int]) -> str:
    classes = ", ".join(map(str, background))
    return f"classes {classes} as one" if len(background) > 1 else f"class {classes}"
