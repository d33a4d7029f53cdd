"""The test on images shifted by a few pixels: does the answer stay?"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from robustlit import __version__
from robustlit.evaluation.base import Row
from robustlit.evaluation.records import Record

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

    from robustlit.data.base import VisionDataModule

__all__ = ["ShiftTest"]


class ShiftTest:
    """Consistency under small shifts (after Zhang, "Making convolutional networks shift-invariant again", ICML 2019).

    Every image is shifted up, down, to the left and to the right by each number of pixels. In segmentation predictions
    are shifted back, and what left the picture does not count.

    ==================================  ==============================================================================
    metric                              meaning
    ==================================  ==============================================================================
    ``<score>``                         of the images as they are: ``accuracy``, or ``iou`` in segmentation
    ``<score>/<pixels>``                mean over the four shifts by so many pixels
    ``gap/<pixels>``                    the first less the second, with the paired interval over the same images
    ``consistency/<pixels>``            share of answers that are those for the image as it is, over the four shifts; in
                                        segmentation the mean IoU of the two predictions
    ``consistency``                     share of images whose answer is the same under every shift; in segmentation the
                                        mean IoU over all shifts together
    ==================================  ==============================================================================

    Args:
        pixels: How far, in pixels.
        border: What fills the rim that a shift lays open: "reflect", "replicate" or "zero"; "crop" cuts the largest
            shift off every side of all versions instead, the unshifted one too, so that nothing is made up, and is for
            networks that take images of any size.
        images: How many images of a split, chosen by a hash of their index; None for all.

    Raises:
        ValueError: For shifts below 1 or given twice, another border, or when run, for images that are too small.
    """

    name = "shift"

    def __init__(self, pixels: Sequence[int] = (1, 2, 4), border: str = "reflect", images: int | None = 1000) -> None:
        from robustlit.core.names import lookup
        from robustlit.evaluation.behaviour.shifted import BORDERS
        from robustlit.evaluation.passes.selection import Selection

        whole = all(isinstance(each, int) and each >= 1 for each in pixels)
        if not pixels or not whole or len(set(pixels)) < len(pixels):
            raise ValueError(f"expected shifts of whole pixels from 1, each once, got {[*pixels]}; try [1, 2, 4]")
        lookup("border", border, dict.fromkeys(BORDERS))
        Selection(images)
        self.pixels, self.border, self.images = tuple(pixels), border, images
        self.records: list[Record] = []

    def expects(self, datamodule: "VisionDataModule") -> list[str]:
        """Return the keys ``<test>/<metric>`` of what will be measured."""
        from robustlit.evaluation.behaviour.decided import SCORE

        score = SCORE[datamodule.task]
        if self.border == "crop" and datamodule.task == "segmentation":
            raise ValueError("expected a border that keeps the size in segmentation, got 'crop'; try border=reflect")
        each = [f"{metric}/{pixels}" for pixels in self.pixels for metric in (score, "gap", "consistency")]
        return [f"{self.name}/{metric}" for metric in (score, "consistency", *each)]

    def run(self, module: "LightningModule", datamodule: "VisionDataModule", trainer: "Trainer") -> list[Row]:
        """Measure every split."""
        from robustlit.core import Adapter
        from robustlit.evaluation.behaviour.shift_scores import Shifting, shift_record, shift_rows
        from robustlit.evaluation.passes.judging import judge_images

        self.expects(datamodule)
        self.records = []
        rows: list[Row] = []
        adapter = Adapter.for_module(module)
        for split, samples in dict(datamodule.test_sets).items():
            judge = Shifting(adapter, self.pixels, self.border)
            found = judge_images(judge, samples, module, datamodule, trainer, self.images)
            conditions: Mapping[str, Any] = {
                "border": self.border,
                "directions": "up, down, left, right",
                "precision": str(trainer.precision),
                "version": __version__,
            }
            own = shift_rows(self.name, split, found, self.pixels, conditions, adapter.ignore_index)
            rows += own
            self.records.append(shift_record(self.name, split, own, self.pixels))
        return rows
