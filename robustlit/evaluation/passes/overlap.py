"""Whether something was chosen on the very images that are tested."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from robustlit.data.base import VisionDataModule
    from robustlit.data.samples import Samples

__all__ = ["overlap_warning"]


def overlap_warning(split: "Samples", datamodule: "VisionDataModule", what: str) -> dict[str, str]:
    """Return a condition that warns where images of a split are in the validation split too; else nothing.

    Args:
        split: The split that is tested.
        datamodule: Whose validation split was used.
        what: What for: "the temperature was fitted".
    """
    val = datamodule.val_set
    if val is None or val.source is not split.source:
        return {}
    common = len({*val.indices} & {*split.indices})
    return {"warning": f"{what} on {common} of these images"} if common else {}
