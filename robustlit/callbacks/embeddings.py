"""Where images lie for the network, in TensorBoard's projector."""

from collections.abc import Sequence

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn import functional as F

from robustlit.callbacks.explanation_pass import ExplanationPass, Seen
from robustlit.callbacks.explanation_scene import Scene
from robustlit.callbacks.pictures import boards, class_names
from robustlit.core import Adapter, private
from robustlit.corruptions.corrupt import AnyCorruption
from robustlit.corruptions.severity import Severity
from robustlit.explanations.capture import Capture
from robustlit.explanations.grid import grid_of
from robustlit.explanations.layers import select_layers
from robustlit.explanations.network import Network

__all__ = ["Embeddings"]

_SPRITE = 48  # pixels: the thumbnail of a point
_HEADER = ["label", "prediction", "confidence", "corruption", "set"]


class Embeddings(ExplanationPass):
    """Shows the network's features of some images as points, in TensorBoard's projector.

    The points are probe images, clean and corrupted, the most confident mistakes of the whole validation pass, and
    images that a corruption turned into mistakes; the metadata has label, prediction, confidence, corruption and which
    of these sets. The features are the means over space of what a layer returns, by default the last one before
    pooling. Training goes on bit-identically to a run without this callback.

    ============================  ===================================================
    key                           meaning
    ============================  ===================================================
    ``explain/features``          the embedding, one for every time, by step
    ``cost/embeddings_seconds``   seconds of the epoch spent on it
    ``cost/embeddings_share``     share of the fit's time spent on it until now
    ============================  ===================================================

    Args:
        layer: Name of the layer; None for the automatic one.
        count: Probe images, failures and flips, 1 to 64 each.
        corruptions: Names, corruptions or functions; may be empty.
        severity: Of the corruptions, 1 to 5.
        images: How many images are corrupted in search of flips, chosen by a hash of their index; None for all.
        every_n_epochs: In fit, write after every so many epochs.
        max_share: Largest share of the run's time; the first time is always written. None for no limit.
        seed: Which probe images, and the draws of the corruptions.
        batch_size: Images a forward; None for as many as the loader's batches have.
        adapter: How to read the batch and the model; by default the module's ``adapter``, else the automatic one.

    Raises:
        ValueError: For unknown names, or numbers out of range.
    """

    cost_key = "embeddings_seconds"

    def __init__(
        self,
        layer: str | None = None,
        *,
        count: int = 32,
        corruptions: Sequence[AnyCorruption] = ("gaussian_noise", "defocus_blur", "fog", "jpeg_compression"),
        severity: Severity = 3,
        images: int | None = 128,
        every_n_epochs: int = 5,
        max_share: float | None = 0.02,
        seed: int = 0,
        batch_size: int | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        super().__init__(count, images, corruptions, severity, every_n_epochs, max_share, seed, batch_size, adapter)
        self.layer = layer

    def draw(self, trainer: pl.Trainer, pl_module: pl.LightningModule, seen: Seen) -> dict[str, float]:
        """Write the points."""
        if seen.probe is None or not boards(trainer):
            return {}
        scene = Scene(pl_module, self.adapter_of(pl_module), (), self.layer, class_names(trainer, pl_module), "")
        points, rows, thumbnails = [], [], []
        for images, targets, corruptions, kind in self._sets(seen):
            images = images.to(pl_module.device)
            for start in range(0, len(images), self.batch_size or self.count):
                part = slice(start, start + (self.batch_size or self.count))
                features, logits = _features(scene, images[part])
                points.append(features.cpu())
                rows += _metadata(scene, logits.cpu(), targets[part], corruptions[part], kind)
            thumbnails.append(_thumbnails(images))
        for board in boards(trainer):
            board.experiment.add_embedding(
                torch.cat(points),
                metadata=rows,
                metadata_header=_HEADER,
                label_img=torch.cat(thumbnails),
                global_step=max(0, trainer.global_step - 1),
                tag=f"{self.prefix(trainer)}explain/features",
            )
        return {}

    def _sets(self, seen: Seen) -> list[tuple[Tensor, Tensor, list[str], str]]:
        """Return images, targets, corruptions and the name of every set of points."""
        sets: list[tuple[Tensor, Tensor, list[str], str]] = []
        probe = seen.probe
        if probe is not None:
            sets.append((probe.images, probe.targets, ["clean"] * len(probe), "probe"))
            for cell in self.cells:
                changed, _ = self.conditions.make(cell, probe.images, probe.targets, probe.ids)
                sets.append((changed, probe.targets, [cell.corruption.label] * len(probe), "probe"))
        if seen.failures:
            count = len(seen.failures["score"])
            sets.append((seen.failures["images"], seen.failures["targets"], ["clean"] * count, "failure"))
        if seen.flips:
            labels = [self.cells[place].corruption.label for place in seen.flips["cell"].tolist()]
            sets.append((seen.flips["changed"], seen.flips["targets"], labels, "flip"))
        return [each for each in sets if len(each[0])]


def _features(scene: Scene, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the layer's means over space, N×K float32, and the logits."""
    network = Network(scene.module, scene.adapter)
    with network.looking(images.device), torch.no_grad():
        pixels = private(images)
        with Capture(select_layers(network, scene.layer, pixels)) as kept:
            logits = network.logits(pixels).float()
        (output,) = (kept[name] for name in kept.layers)
        grid = grid_of(output, pixels)
        flat = output.flatten(1) if grid is None else grid.maps(output).mean((2, 3))
    return flat.float(), logits


def _metadata(scene: Scene, logits: Tensor, targets: Tensor, corruptions: Sequence[str], kind: str) -> list[list[str]]:
    if logits.ndim == 4:
        said = [("mask", f"{share:.0%} right", f"{share:.3f}") for share in scene.shares_right(logits, targets)]
    else:
        words = scene.words(logits, targets)
        said = [(each.head, each.guesses[0].name, f"{each.guesses[0].probability:.3f}") for each in words]
    return [[*each, corruption, kind] for each, corruption in zip(said, corruptions, strict=True)]


def _thumbnails(images: Tensor) -> Tensor:
    small = F.interpolate(images.float(), (_SPRITE, _SPRITE), mode="bilinear", antialias=True).clamp(0, 1).cpu()
    return small[:, :3] if small.shape[1] >= 3 else small.mean(1, keepdim=True).expand(-1, 3, -1, -1)
