"""Which mask belongs to which image: equal names, but for the endings that Cityscapes and ACDC add."""

from collections.abc import Sequence
from pathlib import Path

from robustlit.data.errors import DataError
from robustlit.data.image_files import find_images

__all__ = ["TRAIN_ID_NAMES", "TRAIN_ID_VOID", "has_train_ids", "pair_masks"]

# Cityscapes' 19 classes in the order of their train ids (Cordts et al. 2016), which ACDC shares
TRAIN_ID_NAMES = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation", "terrain",
    "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
)  # fmt: skip
TRAIN_ID_VOID = 255
_TRAIN_IDS = "_labelTrainIds"
_ENDINGS = ("_leftImg8bit", "_rgb_anon", f"_gtFine{_TRAIN_IDS}", f"_gt{_TRAIN_IDS}")


def pair_masks(images: Sequence[Path], images_root: Path, masks_root: Path) -> list[Path]:
    """Return the mask of every image.

    Args:
        images: The images.
        images_root: What their names are relative to.
        masks_root: Folder of the masks, with the same tree.

    Raises:
        DataError: If an image has no mask, or two masks have one name.
    """
    masks: dict[str, Path] = {}
    for mask in find_images(masks_root, "masks"):
        first = masks.setdefault(_key(mask, masks_root), mask)
        if first is not mask:
            raise DataError(f"expected one mask for an image, got {first} and {mask}; try removing one of them")
    without = [image for image in images if _key(image, images_root) not in masks]
    if without:
        raise DataError(
            f"expected a mask in {masks_root} for every image, got none for {len(without)} of {len(images)}, the first "
            f"being {without[0]}; try masks with the names of their images, or …{_TRAIN_IDS}.png"
        )
    return [masks[_key(image, images_root)] for image in images]


def has_train_ids(masks: Path) -> bool:
    """Whether a folder of masks holds Cityscapes' train ids."""
    return next(masks.rglob(f"*{_TRAIN_IDS}.png"), None) is not None


def _key(path: Path, root: Path) -> str:
    name = path.relative_to(root).with_suffix("").as_posix()
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name
