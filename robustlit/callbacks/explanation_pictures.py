"""The pictures of explanations, and the figures that come with them."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from robustlit.callbacks.explanation_scene import Scene
from robustlit.evaluation.corrupted.cells import Conditions, CorruptionCell
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.explanations import (
    Explanations,
    concentration,
    cosine,
    insertion_deletion,
    mask_energy,
    rank_correlation,
    top_overlap,
)
from robustlit.panels.explanation import explanation_panel, pair_panel
from robustlit.panels.explanation_masks import mask_explanation_panel, mask_pair_panel
from robustlit.panels.maps import strongest
from robustlit.panels.text import Picture

__all__ = ["Pair", "corrupted", "drift", "explained_panel", "failure_panel", "look_figures", "pairs_panel", "quality"]

Figures = dict[str, float]


def explained_panel(scene: Scene, chunk: Chunk, found: Explanations, title: str) -> Picture:
    """Draw images with their maps and what the model says.

    Args:
        scene: The model.
        chunk: Images and targets.
        found: Their explanations.
        title: Of the picture.
    """
    title, note, maps = f"{scene.moment} · {title}", scene.note(found), dict(found)
    over = scene.over_image(list(maps))
    if found.logits.ndim == 4:
        truth, predicted, classes = scene.masks(found.logits, chunk.targets)
        return mask_explanation_panel(
            chunk.images,
            truth,
            predicted,
            maps,
            _explained(scene, found, len(chunk)),
            scene.names(classes),
            ignore_index=scene.adapter.ignore_index,
            title=title,
            note=f"{note} · below: what the map explains" if note else "",
            over_image=over,
        )
    shown = maps.get(scene.main.name, next(iter(maps.values())))
    notes = [[f"max {value:.2g}"] for value in strongest(shown).tolist()]
    words = scene.words(found.logits, chunk.targets, notes)
    return explanation_panel(chunk.images, maps, words, title, note, over)


def failure_panel(scene: Scene, chunk: Chunk) -> Picture:
    """Draw mistakes: of classes with what speaks for the prediction beside what speaks for the truth."""
    title = "the most confident mistakes"
    if chunk.targets.ndim > 1:
        return explained_panel(scene, chunk, scene.explain(chunk.images), title)
    said, found = scene.explain_main(chunk.images)
    true, _ = scene.explain_main(chunk.images, chunk.targets.to(chunk.images.device))
    maps = {"for predicted": said, "for true": true}
    over = list(maps) if scene.over_image([scene.main.name]) else []
    words = scene.words(found.logits, chunk.targets)
    note = f"{scene.main.name.replace('_', ' ')} {scene.note(found)}"
    return explanation_panel(chunk.images, maps, words, f"{scene.moment} · {title}", note, over)


class Pair:
    """Images clean and changed, with maps of the same class.

    Args:
        scene: The model.
        chunk: The clean images.
        changed: The changed ones.
        heads: What was done to each.
    """

    def __init__(self, scene: Scene, chunk: Chunk, changed: Tensor, heads: Sequence[str]) -> None:
        self.scene, self.chunk, self.changed, self.heads = scene, chunk, changed, heads
        self.before, self.clean = scene.explain_main(chunk.images)
        self.after, self.found = scene.explain_main(changed, self.clean.goal)


def corrupted(scene: Scene, chunk: Chunk, cell: CorruptionCell, conditions: Conditions) -> Pair:
    """Return images clean and in a cell, with their maps."""
    changed, _ = conditions.make(cell, chunk.images, chunk.targets, chunk.ids)
    head = f"{cell.corruption.label.replace('_', ' ')} {cell.severity:g}"
    return Pair(scene, chunk, changed, [head] * len(chunk))


def pairs_panel(pair: Pair, title: str, *, own_heads: bool = False) -> Picture:
    """Draw images clean above changed, with the maps of the same class and their difference.

    Args:
        pair: The images.
        title: Of the picture.
        own_heads: Whether what was done to each image is written beside it, where that differs.
    """
    scene, chunk = pair.scene, pair.chunk
    alike = cosine(pair.before, pair.after).tolist()
    title, note = f"{scene.moment} · {title}", scene.note(pair.clean)
    method = scene.main.name
    if pair.clean.logits.ndim == 4:
        truth, predicted, classes = scene.masks(pair.clean.logits, chunk.targets)
        _, after, _ = scene.masks(pair.found.logits, chunk.targets)
        explained = ", ".join(dict.fromkeys(_explained(scene, pair.clean, 4)[:4]))
        return mask_pair_panel(
            (chunk.images, predicted, pair.before),
            (pair.changed, after, pair.after),
            truth,
            alike,
            pair.heads,
            scene.names(classes),
            ignore_index=scene.adapter.ignore_index,
            title=title,
            note=f"{note} · for {explained}",
            method=method,
        )
    before = scene.words(pair.clean.logits, chunk.targets)
    after_words = scene.words(pair.found.logits, chunk.targets)
    if own_heads:
        after_words = [word._replace(head=head) for word, head in zip(after_words, pair.heads, strict=True)]
    return pair_panel(
        (chunk.images, pair.before, before),
        (pair.changed, pair.after, after_words),
        alike,
        _explained(scene, pair.clean, len(chunk)),
        title,
        note,
        method,
    )


def drift(pair: Pair) -> Figures:
    """Return how alike the maps of clean and changed images are, on average: cosine, rank correlation, overlap."""
    found = {
        "drift_cosine": cosine(pair.before, pair.after),
        "drift_rank": rank_correlation(pair.before, pair.after),
        "drift_overlap": top_overlap(pair.before, pair.after),
    }
    return {name: value for name, values in found.items() if not math.isnan(value := _mean(values))}


def look_figures(scene: Scene, chunk: Chunk, found: Explanations, masks: Mapping[int, Tensor]) -> Figures:
    """Return how concentrated the maps are, and which share of them is on the object where masks say what that is."""
    inside = _objects(scene, chunk, found, masks)
    figures = {}
    for name, maps in found.items():
        figures[f"concentration/{name}"] = _mean(concentration(maps))
        if inside is not None:
            there = inside.flatten(1).any(1)
            figures[f"inside_mask/{name}"] = (
                _mean(mask_energy(maps.abs()[there], inside[there])) if there.any() else math.nan
            )
    return {name: value for name, value in figures.items() if not math.isnan(value)}


def quality(scene: Scene, chunk: Chunk, found: Explanations, steps: int) -> Figures:
    """Return the areas of insertion and deletion along the main map, on average."""
    maps = found.get(scene.main.name, next(iter(found.values())))
    size = max(1, (1 << 20) // (chunk.images.shape[-2] * chunk.images.shape[-1]))
    curves = insertion_deletion(
        scene.module,
        chunk.images,
        maps,
        found.goal,
        steps=steps,
        batch_size=min(64, size),
        adapter=scene.adapter,
    )
    return {"insertion": _mean(curves.insertion_area), "deletion": _mean(curves.deletion_area)}


def _objects(scene: Scene, chunk: Chunk, found: Explanations, masks: Mapping[int, Tensor]) -> Tensor | None:
    """Return where the object is, bool N×H×W: the true region of the class explained, or the batch's own mask."""
    if found.logits.ndim == 4:
        truth, _, _ = scene.masks(found.logits, chunk.targets)
        return None if found.target is None else truth == found.target.to(truth.device)[:, None, None]
    own = [masks.get(key) for key in chunk.ids.tolist()]
    known = [mask for mask in own if mask is not None and mask.shape == chunk.images.shape[-2:]]
    return torch.stack(known).bool().to(chunk.images.device) if known and len(known) == len(own) else None


def _explained(scene: Scene, found: Explanations, count: int) -> list[str]:
    return [""] * count if found.target is None else [scene.name(place) for place in found.target.tolist()]


def _mean(values: Tensor) -> float:
    return float(values.float().nanmean())
