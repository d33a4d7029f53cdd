"""What the network looks at, live."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import pytorch_lightning as pl
import torch

from robustlit.callbacks.explanation_files import explanations_folder, publish
from robustlit.callbacks.explanation_history import History
from robustlit.callbacks.explanation_layers import feature_pictures, filter_picture, first_layer
from robustlit.callbacks.explanation_pass import ExplanationPass, Seen
from robustlit.callbacks.explanation_pictures import (
    Pair,
    corrupted,
    drift,
    explained_panel,
    failure_panel,
    look_figures,
    pairs_panel,
    quality,
)
from robustlit.callbacks.explanation_scene import Scene
from robustlit.callbacks.pictures import class_names
from robustlit.core import Adapter
from robustlit.core.names import unknown_name
from robustlit.corruptions.corrupt import AnyCorruption
from robustlit.corruptions.severity import Severity
from robustlit.evaluation.passes.gathering import Chunk
from robustlit.explanations import Explanations, Method
from robustlit.explanations.layers import named_layers
from robustlit.explanations.registry import chosen
from robustlit.explanations.target import AnyTarget
from robustlit.panels.filmstrip import Frame
from robustlit.panels.grid import to_pictures
from robustlit.panels.maps import glow

__all__ = ["CORRUPTIONS", "PANELS", "ExplanationPanels"]

Panel: TypeAlias = Literal["probe", "failures", "flips", "corruptions", "filters", "features", "history"]
PANELS: tuple[Panel, ...] = get_args(Panel)
CORRUPTIONS = ("gaussian_noise", "defocus_blur", "fog", "jpeg_compression")  # one of each family
_PAIRS = 4
_FILE = "history.npz"


class ExplanationPanels(ExplanationPass):
    """Shows what a module looks at: saliency and class activation maps, in pictures and in figures.

    Everything is looked at in a neutral scope: training goes on bit-identically to a run without this callback,
    whatever the module does (dropout, BatchNorm, frozen layers, accumulation, mixed precision, compile, DDP). The probe
    images are balanced over the classes and the same in every epoch and every run of the same data. An epoch that would
    take the callback above ``max_share`` of the run's time is left out. Pictures go to TensorBoard (as JPEG), Weights &
    Biases and MLflow, and the latest of each as PNG files to ``explanations/`` in the run's folder. Whatever goes wrong
    while explaining is one warning, and training goes on.

    ===================================  ===============================================================================
    key                                  meaning
    ===================================  ===============================================================================
    ``explain/probe``                    picture: the probe images, every method, what the model says
    ``explain/failures``                 picture: the most confident mistakes of the whole pass; of classes with what
                                         speaks for the prediction beside what speaks for the truth
    ``explain/flips``                    picture: right when clean, wrong when corrupted
    ``explain/corruptions/<name>``       picture: clean above corrupted, the same class, what changed
    ``filters/first_layer``              picture: the filters of the first convolution
    ``features/<layer>``                 picture: what channels of a layer answer
    ``history/<probe>``                  picture: a probe image through the epochs
    ``explain/drift_cosine/<name>``      cosine of the maps of clean and corrupted probe images: 1 is the same look
    ``explain/drift_rank/<name>``        their rank correlation
    ``explain/drift_overlap/<name>``     intersection over union of their strongest tenths
    ``explain/drift_cosine``, …          means over the corruptions
    ``explain/concentration/<method>``   Gini coefficient of the maps: 0 is even, near 1 is a point
    ``explain/inside_mask/<method>``     share of the maps inside the true region of the class explained, or inside the
                                         batches' own ``mask`` (N×H×W)
    ``explain/insertion``, ``deletion``  area under the probability while the strongest pixels are put in, taken out
    ``cost/explanations_seconds``        seconds of the epoch spent on it
    ``cost/explanations_share``          share of the fit's time spent on it until now
    ===================================  ===============================================================================

    Args:
        methods: Names or methods; drift, history and the pairs use the last one of a layer, else the first.
        layer: Name of the layer of the CAM family, as ``named_modules`` of the LightningModule has it, or several; None
            for the automatic one.
        target: What the probe's maps explain, as for :func:`robustlit.explanations.explain`; None for the prediction,
            of masks the region of the class with most pixels, where class 0 is called "background" another.
        panels: Which pictures.
        count: Probe images, and failures shown: 1 to 8 rows are drawn.
        corruptions: Names, corruptions or functions; may be empty.
        severity: Of the corruptions, 1 to 5.
        images: How many images are corrupted in search of flips, chosen by a hash of their index; None for all.
        features: Names of layers for ``features/…``; None for the first convolution and the CAM's layer.
        insertion_steps: Steps of insertion and deletion; 0 leaves them out.
        every_n_epochs: In fit, look after every so many epochs.
        every_n_steps: In fit, also draw the probe after every so many steps, once a validation has chosen it.
        max_share: Largest share of the run's time; the first time is always drawn. None for no limit.
        seed: Which probe images, and the draws of the corruptions; leave it alone to compare runs.
        batch_size: Images a forward in search of flips; None for as many as the loader's batches have.
        adapter: How to read the batch and the model; by default the module's ``adapter``, else the automatic one.

    Raises:
        ValueError: For unknown names, or numbers out of range.

    Example:
        >>> from robustlit.explanations import SmoothGrad
        >>> callback = ExplanationPanels(methods=(SmoothGrad(samples=8), "grad_cam"), corruptions=("fog",))
    """

    cost_key = "explanations_seconds"

    def __init__(
        self,
        methods: str | Method | Sequence[str | Method] = ("saliency", "grad_cam"),
        layer: str | Sequence[str] | None = None,
        *,
        target: AnyTarget = None,
        panels: Sequence[Panel] = PANELS,
        count: int = 8,
        corruptions: Sequence[AnyCorruption] = CORRUPTIONS,
        severity: Severity = 3,
        images: int | None = 64,
        features: Sequence[str] | None = None,
        insertion_steps: int = 10,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
        max_share: float | None = 0.02,
        seed: int = 0,
        batch_size: int | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        searched = corruptions if "flips" in panels or "corruptions" in panels else ()
        super().__init__(count, images, searched, severity, every_n_epochs, max_share, seed, batch_size, adapter)
        for panel in panels:
            if panel not in PANELS:
                raise unknown_name("panel", panel, PANELS)
        if insertion_steps < 0:
            raise ValueError(f"expected insertion_steps of at least 0, got {insertion_steps}; try 10")
        if every_n_steps is not None and every_n_steps < 1:
            raise ValueError(f"expected every_n_steps of at least 1, got {every_n_steps}; try 100, or None")
        self.methods = tuple(chosen(methods).values())
        self.layer = layer
        self.target = target
        self.panels = tuple(panels)
        self.features = None if features is None else tuple(features)
        self.insertion_steps = insertion_steps
        self.every_n_steps = every_n_steps
        self._folder = Path()
        self._history = History()
        self._step = -1

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Check the names of layers, and find the run's folder."""
        super().setup(trainer, pl_module, stage)
        self._folder = explanations_folder(trainer)
        known = named_layers(pl_module)
        layers = [self.layer] if isinstance(self.layer, str) else list(self.layer or ())
        for name in (*layers, *(self.features or ())):
            if name not in known:
                raise unknown_name("layer", name, known)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take up the filmstrips of a run that is resumed; say where there will be nothing to see."""
        self._history, self._step = History(), -1
        if trainer.ckpt_path and trainer.is_global_zero:
            self._try(lambda: self._history.load(self._folder / _FILE, trainer.current_epoch))
        if not trainer.enable_validation:
            self._tell("expected a validation loader, whose images are explained, got none; try val_dataloaders=…")

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Draw the probe between the validations, where that is wanted."""
        step, probe = trainer.global_step, self._probes.get("val", (None, {}))[0]
        due = self.every_n_steps is not None and step % self.every_n_steps == 0 and step != self._step
        if not due or probe is None or not trainer.is_global_zero or not self.share.allows():
            return
        self._step = step
        with self.share.spending(), self._watch.running(pl_module.device):
            scene = self._scene(trainer, pl_module, f"step {step}")
            self._try(lambda: self._draw_probe(trainer, scene, _on(probe, pl_module.device)))

    def draw(self, trainer: pl.Trainer, pl_module: pl.LightningModule, seen: Seen) -> dict[str, float]:
        """Draw all panels."""
        scene = self._scene(trainer, pl_module, "test" if trainer.testing else f"epoch {trainer.current_epoch}")
        figures: dict[str, float] = {}
        if seen.probe is not None:
            probe = _on(seen.probe, pl_module.device)
            self._save_probe(trainer, seen.probe)
            found = self._try(lambda: self._draw_probe(trainer, scene, probe))
            if found is not None:
                self._part(figures, lambda: look_figures(scene, probe, found, seen.masks))
                if self.insertion_steps:
                    self._part(figures, lambda: quality(scene, probe, found, self.insertion_steps))
                if "history" in self.panels and trainer.state.fn == "fit":
                    self._try(lambda: self._draw_history(trainer, scene, probe, found))
            if "corruptions" in self.panels:
                self._part(figures, lambda: self._draw_corruptions(trainer, scene, probe))
            self._try(lambda: self._draw_layers(trainer, scene, probe, found))
        if "failures" in self.panels and seen.failures:
            failures = _chunk(seen.failures, pl_module.device)
            self._try(lambda: self._show(trainer, "explain/failures", failure_panel(scene, failures)))
        if "flips" in self.panels and seen.flips:
            self._try(lambda: self._draw_flips(trainer, scene, seen))
        return {f"explain/{name}": value for name, value in figures.items()}

    def _scene(self, trainer: pl.Trainer, pl_module: pl.LightningModule, moment: str) -> Scene:
        names = class_names(trainer, pl_module)
        return Scene(pl_module, self.adapter_of(pl_module), self.methods, self.layer, names, moment)

    def _part(self, figures: dict[str, float], work: Callable[[], dict[str, float]]) -> None:
        """Add what some work finds to the figures, if it finds anything."""
        figures |= self._try(work) or {}

    def _show(self, trainer: pl.Trainer, tag: str, picture: Any) -> None:
        publish(trainer, self._folder, f"{self.prefix(trainer)}{tag}", picture)

    def _draw_probe(self, trainer: pl.Trainer, scene: Scene, probe: Chunk) -> Explanations:
        found = scene.explain(probe.images, self.target)
        if "probe" in self.panels:
            self._show(trainer, "explain/probe", explained_panel(scene, probe, found, "the same images every time"))
        return found

    def _draw_history(self, trainer: pl.Trainer, scene: Scene, probe: Chunk, found: Explanations) -> None:
        maps = found.get(scene.main.name, next(iter(found.values())))
        tiles = glow(probe.images, maps)
        if found.logits.ndim == 4:
            shares = scene.shares_right(found.logits, probe.targets)
            says = [(f"{share:.0%} right", share > 0.5) for share in shares]
            names = ["" for _ in says]
        else:
            words = scene.words(found.logits, probe.targets)
            says = [(f"{each.guesses[0].probability:.2f} {each.guesses[0].name}", bool(each.right)) for each in words]
            names = [each.head for each in words]
        epoch = trainer.current_epoch
        self._history.add([Frame(epoch, tile, *said) for tile, said in zip(tiles, says, strict=True)])
        titles = [f"probe {place} {name}" for place, name in enumerate(names)]
        note = f"{scene.main.name.replace('_', ' ')} {scene.note(found)}"
        strips = self._history.strips(to_pictures(probe.images), titles, note)
        for place, (name, strip) in enumerate(zip(names, strips, strict=True)):
            self._show(trainer, f"history/{place}_{name}".rstrip("_"), strip)
        self._history.save(self._folder / _FILE)

    def _draw_corruptions(self, trainer: pl.Trainer, scene: Scene, probe: Chunk) -> dict[str, float]:
        figures: dict[str, float] = {}
        for cell in self.cells:
            pair = corrupted(scene, probe, cell, self.conditions)
            label = cell.corruption.label
            figures |= {f"{name}/{label}": value for name, value in drift(pair).items()}
            self._show(trainer, f"explain/corruptions/{label}", pairs_panel(pair, f"clean and {pair.heads[0]}"))
        for kind in ("drift_cosine", "drift_rank", "drift_overlap"):
            values = [value for name, value in figures.items() if name.startswith(f"{kind}/")]
            if values:
                figures[kind] = sum(values) / len(values)
        return figures

    def _draw_flips(self, trainer: pl.Trainer, scene: Scene, seen: Seen) -> None:
        flips = {name: values[:_PAIRS] for name, values in seen.flips.items()}
        cells = [self.cells[place] for place in flips["cell"].tolist()]
        heads = [f"{cell.corruption.label.replace('_', ' ')} {cell.severity:g}" for cell in cells]
        device = trainer.lightning_module.device
        pair = Pair(scene, _chunk(flips, device), flips["changed"].to(device), heads)
        self._show(
            trainer, "explain/flips", pairs_panel(pair, "right when clean, wrong when corrupted", own_heads=True)
        )

    def _draw_layers(self, trainer: pl.Trainer, scene: Scene, probe: Chunk, found: Explanations | None) -> None:
        channels = probe.images.shape[1]
        if "filters" in self.panels:
            picture = filter_picture(scene, channels)
            if picture is not None:
                self._show(trainer, "filters/first_layer", picture)
        if "features" in self.panels:
            first = first_layer(scene.module, channels)
            automatic = (*((first[0],) if first else ()), *(found.layers if found is not None else ()))
            layers = tuple(dict.fromkeys(automatic)) if self.features is None else self.features
            pictures = feature_pictures(scene, probe.images, layers) if layers else {}
            for name, picture in pictures.items():
                self._show(trainer, f"features/{name}", picture)

    def _save_probe(self, trainer: pl.Trainer, probe: Chunk) -> None:
        """Keep the probe images with the run."""
        path = self._folder / f"{self.prefix(trainer)}probe.pt"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save({"images": probe.images, "targets": probe.targets, "ids": probe.ids}, path)


def _on(chunk: Chunk, device: torch.device) -> Chunk:
    return replace(chunk, images=chunk.images.to(device), targets=chunk.targets.to(device), ids=chunk.ids.to(device))


def _chunk(found: dict[str, torch.Tensor], device: torch.device) -> Chunk:
    return Chunk(*(found[name].to(device) for name in ("images", "targets", "ids")))
