"""From probabilities of classes to decisions for categories, and from those to the shape bias."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from robustlit.evaluation.base import Row
from robustlit.evaluation.behaviour.class_mapping import by_table, table_of
from robustlit.evaluation.behaviour.imagenet_layouts import imagenet_places
from robustlit.evaluation.passes.example_pictures import picture_of
from robustlit.evaluation.passes.judging import Judgement, Predict
from robustlit.evaluation.records import Record
from robustlit.metrics.interval import wilson

__all__ = [
    "Categories",
    "Deciding",
    "categories_of",
    "category_scores",
    "own_categories",
    "shape_bias_records",
    "shape_bias_rows",
]

_PICTURES = 4


@dataclass(frozen=True)
class Categories:
    """What a model decides between.

    Args:
        names: The categories.
        members: For each, the places of the model's classes that belong to it.
        rule: How classes become a decision, in words.
    """

    names: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    rule: str


def own_categories(class_names: Sequence[str]) -> Categories:
    """Let every class of a model be a category."""
    return Categories(tuple(class_names), tuple((place,) for place in range(len(class_names))), "largest probability")


def categories_of(
    class_names: Sequence[str], num_classes: int, mapping: str | Path | Mapping[str, Any] | None = None
) -> Categories:
    """Return the categories of cue-conflict images for a model.

    Args:
        class_names: The model's classes.
        num_classes: How many it has.
        mapping: Categories to classes; None for the 16 of Geirhos et al., by equal names or ImageNet's classes.

    Raises:
        DataError: If the model's classes are neither, or a category has no class.
    """
    from robustlit.data.errors import DataError
    from robustlit.data.imagenet import SIXTEEN, WNIDS

    rule = "mean probability of the classes"
    if mapping is not None:
        table, source = table_of(mapping)
        found = by_table(tuple(table), class_names, table, source)
        members = dict(zip(found.names, found.places, strict=True))
    elif {*SIXTEEN} <= {*class_names}:
        members = {name: (list(class_names).index(name),) for name in SIXTEEN}
    else:
        places = dict(zip(WNIDS, imagenet_places(class_names, num_classes), strict=True))
        members = {
            name: tuple(place for wnid in wnids if (place := places[wnid]) is not None)
            for name, wnids in SIXTEEN.items()
        }
    empty = [name for name, several in members.items() if not several]
    if empty:
        raise DataError(f"expected a class of the model for every category, got none for {empty[0]!r}; try mapping=…")
    return Categories(tuple(members), tuple(members.values()), rule)


def category_scores(logits: Tensor, members: Sequence[Sequence[int]]) -> Tensor:
    """Return the mean probability of the classes of each category: N×C from logits N×K.

    Example:
        >>> category_scores(torch.tensor([[0.0, 0.0, 0.0, 0.0]]), [[0], [1, 2]]).tolist()
        [[0.25, 0.25]]
    """
    probabilities = logits.float().softmax(1)
    return torch.stack([probabilities[:, list(places)].mean(1) for places in members], 1)


class Deciding:
    """For which category a model decides.

    Args:
        categories: The categories.
        num_classes: K, how many classes the model has.
    """

    def __init__(self, categories: Categories, num_classes: int) -> None:
        self.members, self.num_classes = categories.members, num_classes

    def __call__(self, predict: Predict, batch: Mapping[str, Any]) -> Judgement:
        """Return the category that was decided for (``decided``), and those of ``shape`` and ``texture``, int64 N.

        Raises:
            ValueError: If the model has another number of classes.
        """
        logits = predict(batch["image"])
        if logits.shape[1] != self.num_classes:
            raise ValueError(f"expected logits of {self.num_classes} classes, got {logits.shape[1]}; try other data")
        scores = category_scores(logits, self.members)
        decided = scores.argmax(1).where(~scores.isnan().any(1), -1)
        return {"decided": decided, "shape": batch["target"], "texture": batch["texture"]}


def shape_bias_rows(test: str, split: str, found: Judgement, conditions: Mapping[str, Any]) -> list[Row]:
    """Return the shape bias and the two shares that it is made of.

    Example:
        >>> four = torch.tensor
        >>> found = {"decided": four([0, 1, 0, 2]), "shape": four([0, 0, 0, 0]), "texture": four([1, 1, 0, 1])}
        >>> [(row.metric, row.value, row.n) for row in shape_bias_rows("shape_bias", "other", found, {})]
        [('shape_bias', 0.5, 2), ('shape', 0.3333333333333333, 3), ('texture', 0.3333333333333333, 3)]
    """
    decided, shape, texture = found["decided"], found["shape"], found["texture"]
    conflict = shape != texture
    for_shape, for_texture = int(((decided == shape) & conflict).sum()), int(((decided == texture) & conflict).sum())
    n, decisions = int(conflict.sum()), for_shape + for_texture
    facts = {**conditions, "left_out_images": len(conflict) - n, "undecided": n - decisions}
    counts = {"shape_bias": (for_shape, decisions), "shape": (for_shape, n), "texture": (for_texture, n)}
    return [
        Row(test, split, metric, hits / of, *wilson(hits, of), of, facts) for metric, (hits, of) in counts.items() if of
    ]


def shape_bias_records(test: str, split: str, found: Judgement, samples: Any, names: Sequence[str]) -> list[Record]:
    """Return the shape bias of every category, and some images that the texture decided."""
    decided, shape, texture = found["decided"], found["shape"], found["texture"]
    conflict = shape != texture
    slices: dict[str, list[Any]] = {"name": [], "n": [], "value": [], "low": [], "high": []}
    for number, name in enumerate(names):
        own = conflict & (shape == number)
        hits = int((own & (decided == shape)).sum())
        of = hits + int((own & (decided == texture)).sum())
        if of:
            for key, value in zip(slices, (name, of, hits / of, *wilson(hits, of)), strict=True):
                slices[key].append(value)
    records = [Record(test, split, "slices", "shape", {**slices, "column": "shape", "metric": "shape_bias"})]
    by_texture = (conflict & (decided == texture)).nonzero().flatten().tolist()
    for number, place in enumerate(by_texture[:: max(1, len(by_texture) // _PICTURES)][:_PICTURES]):
        caption = f"{names[int(shape[place])]} with the texture of {names[int(texture[place])]}: taken for the texture"
        image = picture_of(samples, int(found["index"][place]))
        records.append(Record(test, split, "picture", f"texture {number + 1}", {"image": image, "caption": caption}))
    return records
