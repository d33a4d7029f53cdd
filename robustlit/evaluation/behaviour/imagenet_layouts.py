"""The folder layouts of the sets that share ImageNet's classes, and how each is scored where it was published."""

from collections.abc import Sequence
from dataclasses import dataclass

from robustlit.core.names import lookup
from robustlit.data.errors import DataError
from robustlit.evaluation.behaviour.class_mapping import ClassMapping
from robustlit.metrics.mce import has_wordnet_names

__all__ = ["IMAGENET_CLASSES", "LAYOUTS", "imagenet_mapping", "imagenet_places", "layout_of"]

IMAGENET_CLASSES = 1000


@dataclass(frozen=True)
class Layout:
    """One set's folders.

    Args:
        title: The set.
        subset: Name of the list of classes among which the model chooses; "" for all.
        source: Where the correspondence of folders and classes is from.
    """

    title: str
    subset: str
    source: str


LAYOUTS = {
    "imagenet": Layout("ImageNet", "", "WordNet identifiers"),
    "imagenet_a": Layout("ImageNet-A", "IMAGENET_A", "WordNet identifiers, the 200 classes of its authors"),
    "imagenet_o": Layout("ImageNet-O", "IMAGENET_O", "WordNet identifiers, the 200 classes of its authors"),
    "imagenet_r": Layout("ImageNet-R", "IMAGENET_R", "WordNet identifiers, the 200 classes of its authors"),
    "imagenet_v2": Layout("ImageNet-V2", "", "folders 0 … 999, the places of the classes"),
    "imagenet_sketch": Layout("ImageNet-Sketch", "", "WordNet identifiers"),
    "objectnet": Layout("ObjectNet", "", "the 113 classes that its authors found in ImageNet"),
}


def layout_of(names: Sequence[str]) -> str | None:
    """Tell the layout from the names of the class folders; None where it is none of them.

    Example:
        >>> layout_of(["0", "1", "10"]), layout_of(["air_freshener", "alarm_clock"]), layout_of(["cat"])
        ('imagenet_v2', 'objectnet', None)
    """
    from robustlit.data import imagenet

    for layout, known in LAYOUTS.items():
        if known.subset and {*names} == {*getattr(imagenet, known.subset)}:
            return layout
    if has_wordnet_names(names):
        return "imagenet"
    if names and all(name.isdecimal() and int(name) < IMAGENET_CLASSES for name in names):
        return "imagenet_v2"
    shared = sum(name in imagenet.OBJECTNET for name in names)
    return "objectnet" if shared >= max(1, len(names) // 4) else None


def imagenet_places(model_names: Sequence[str], num_classes: int) -> list[int | None]:
    """Return where a model has each of ImageNet's 1,000 classes.

    Args:
        model_names: The model's classes; by their WordNet identifiers some of the 1,000 may be missing.
        num_classes: How many it has; 1,000 without identifiers are in the usual order.

    Raises:
        DataError: If the model's classes are not ImageNet's.
    """
    from robustlit.data.imagenet import WNIDS

    if has_wordnet_names(model_names):
        place = {name: number for number, name in enumerate(model_names)}
        return [place.get(wnid) for wnid in WNIDS]
    if num_classes == IMAGENET_CLASSES:
        return [*range(IMAGENET_CLASSES)]
    raise DataError(
        f"expected a model of ImageNet's classes, got one of {num_classes} others; try mapping=FILE.csv, or "
        "data.class_names=imagenet"
    )


def imagenet_mapping(
    layout: str, names: Sequence[str], model_names: Sequence[str], num_classes: int, *, restrict: bool | None = None
) -> ClassMapping:
    """Map the class folders of a layout to a model's classes.

    Args:
        layout: Name of the layout.
        names: The folders.
        model_names: The model's classes.
        num_classes: How many it has.
        restrict: Whether the model chooses among the classes of the set alone; None for what was published.

    Raises:
        DataError: If the model has not ImageNet's classes, or a folder is none of the layout's.
    """
    from robustlit.data import imagenet

    known = lookup("layout", layout, LAYOUTS)
    places = imagenet_places(model_names, num_classes)
    number = {wnid: place for place, wnid in enumerate(imagenet.WNIDS)}
    found: list[tuple[int, ...]] = []
    for name in names:
        if layout == "objectnet":
            own: tuple[int, ...] = imagenet.OBJECTNET.get(name, ())
        elif layout == "imagenet_v2" and name.isdecimal():
            own = (int(name),)
        else:
            own = (number[name],) if name in number else ()
        if layout != "objectnet" and not own:
            raise DataError(f"expected class folders of {known.title}, got {name!r}; try layout=auto")
        found.append(tuple(place for each in own if (place := places[each]) is not None))
    mapping = ClassMapping(tuple(names), tuple(found), known.source)
    if not mapping.mapped:
        raise DataError(f"expected classes of {known.title} that the model has, got none; try another layout")
    kept = [places[number[wnid]] for wnid in getattr(imagenet, known.subset)] if known.subset else None
    if restrict if restrict is not None else bool(known.subset):
        chosen = mapping.mapped if kept is None else tuple(sorted(place for place in kept if place is not None))
        return ClassMapping(mapping.names, mapping.places, mapping.source, chosen)
    return mapping
