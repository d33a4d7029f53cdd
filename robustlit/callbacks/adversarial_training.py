"""Adversarial training of any LightningModule."""

import os
import warnings
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from robustlit.attacks import Attack, BoundedAttack, searching
from robustlit.callbacks.adversarial_names import as_attack, as_method
from robustlit.callbacks.adversarial_warmup import scaled, warmup_factor
from robustlit.callbacks.base import PipelineCallback
from robustlit.callbacks.cost import log_cost
from robustlit.callbacks.stopwatch import Stopwatch
from robustlit.core import Adapter, Pipeline, Step
from robustlit.core.random import fold, mix, sample_seeds, uniform
from robustlit.methods import AWP, Method, Scene
from robustlit.methods.awp import Saved, restore

__all__ = ["AdversarialTraining"]


class AdversarialTraining(PipelineCallback):
    """Attacks every training batch, after augmentation, and trains on the outcome as a method says.

    The attack runs inside the module's ``training_step``, so in the Trainer's precision, on the unwrapped module with
    frozen weights; it leaves the module, the data and every generator as they were. A sample's draws depend on (seed,
    epoch, sample) only. The methods that add a term to the loss need automatic optimisation.

    Under plain adversarial training and MART the module's own ``train/…`` figures are those of adversarial images.

    ===================================== =============================================================================
    ``train/adversarial_loss``            mean over the epoch of what the method added to the loss, where it adds a term
    ``train/adversarial_eps``             eps of the attack in this epoch, where it has one
    ``cost/adversarial_training_seconds`` seconds in the epoch spent on attacks, the weights' perturbation and the
                                          forward pass of the added term, on the device
    ===================================== =============================================================================

    Args:
        attack: An attack on images in [0, 1], or its name: "pgd", "fgsm_rs", "seg_pgd" … Its ignore index is the
            adapter's where that has one.
        method: A method, or its name: "at" (plain), "trades", "mart", "logit_pairing", "grad_align".
        weight_perturbation: ``AWP()`` perturbs the weights too.
        clean_share: Share of the samples that are left unattacked, drawn anew in every epoch.
        eps_warmup_epochs: Epochs at the start in which eps and the step size grow linearly to their full length.
        batchnorm: Mode of the network while it is attacked. "eval" uses running statistics and no dropout; "train"
            leaves every layer as it trains, with the statistics of the attacked batch. Neither moves the running ones.
        seed: Seed of the run; by default the one given to ``pytorch_lightning.seed_everything``, else 0.
        adapter: How to read the batch and the model; by default the module's ``adapter``, else the automatic one.

    Raises:
        TypeError: If attack, method or weight_perturbation is something else.
        ValueError: For an unknown name or mode, or a number out of its range.

    Example:
        >>> from robustlit.attacks import PGD
        >>> from robustlit.methods import TRADES
        >>> callback = AdversarialTraining(PGD(eps=8 / 255, steps=10), method=TRADES(beta=6))
        >>> trainer = pl.Trainer(callbacks=[callback], logger=False)
    """

    def __init__(
        self,
        attack: str | Attack = "pgd",
        method: str | Method = "at",
        weight_perturbation: AWP | None = None,
        *,
        clean_share: float = 0.0,
        eps_warmup_epochs: int = 0,
        batchnorm: Literal["eval", "train"] = "eval",
        seed: int | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        self.method = as_method(method)
        self.attack = self.method.prepare(as_attack(attack))
        self.weight_perturbation = weight_perturbation
        self.clean_share, self.eps_warmup_epochs, self.batchnorm = clean_share, eps_warmup_epochs, batchnorm
        self.seed = int(os.environ.get("PL_GLOBAL_SEED", 0)) if seed is None else seed
        self.adapter = adapter
        self._check_settings()
        self._epoch = 0
        self._watch = Stopwatch()
        self._scene: Scene | None = None
        self._saved: Saved = ()
        self._total: Tensor | None = None
        self._count = 0
        self._has_warned = False

    def use_attack(self, attack: str | Attack) -> None:
        """Go on with another attack from the next batch on.

        Args:
            attack: As in the constructor.
        """
        self.attack = self.method.prepare(as_attack(attack))

    def add_stages(self, pipeline: Pipeline) -> None:
        """Put the attack after the augmentations and, where there is one, the method's term after the step."""
        pipeline.add("attack", self, self._attack)
        if self.method.adds_loss:
            pipeline.add_loss(self, self._term)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Remember the epoch; a fit that resumes in mid-epoch calls no ``on_train_epoch_start``."""
        self._epoch = trainer.current_epoch

    def on_after_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Put perturbed weights back: unscaling, clipping and the optimizer see the module's own."""
        self._forget()

    def on_train_batch_end(self, *_: Any) -> None:
        """Put perturbed weights back where the module skipped the batch and there was no backward pass."""
        self._forget()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the epoch's mean of the added term, the eps in use and what it cost."""
        if self._total is not None:
            mean = self._total / max(1, self._count)
            pl_module.log("train/adversarial_loss", mean, sync_dist=True, batch_size=1)
        attack = self._current_attack()
        if isinstance(attack, BoundedAttack):
            pl_module.log("train/adversarial_eps", attack.eps, sync_dist=True, rank_zero_only=True)
        log_cost(pl_module, "adversarial_training_seconds", self._watch.read())
        self._total, self._count = None, 0

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leave the pipeline and the weights as they were."""
        self._forget()
        super().teardown(trainer, pl_module, stage)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leave the pipeline and the weights as they were."""
        self._forget()
        super().on_exception(trainer, pl_module, exception)

    def _attack(self, module: nn.Module, batch: Any, batch_idx: int | None) -> Any:
        self._forget()
        adapter = self.adapter or Adapter.for_module(module)
        images = adapter.images(batch)
        with self._watch.running(images.device):
            scene = self._attacked(module, adapter, batch, images)
            awp = self.weight_perturbation
            if awp is not None and self._epoch >= awp.warmup_epochs:
                self._saved = awp.perturb(module, lambda: self.method.objective(scene.fresh()))
        if self.method.adds_loss:
            self._scene = scene
        return adapter.replace(batch, scene.adversarial) if self.method.sees == "adversarial" else batch

    def _attacked(self, module: nn.Module, adapter: Adapter, batch: Any, images: Tensor) -> Scene:
        attack, targets = self._current_attack(), adapter.targets(batch)
        if adapter.ignore_index is not None:
            attack = replace(attack, ignore_index=adapter.ignore_index)
        seeds = sample_seeds(mix(self.seed, "attack", self._epoch), adapter.indices(batch))
        model = partial(adapter.predict, module)
        with searching(module, train=self.batchnorm == "train"):
            adversarial = attack(model, images, targets, seeds)
        if self.clean_share > 0:
            stays = uniform(fold(seeds, "clean share")) < self.clean_share
            adversarial = torch.where(stays[:, None, None, None], images, adversarial)
        return Scene(model, images, adversarial, targets, seeds, attack=attack, adapter=adapter)

    def _term(self, module: nn.Module, step: Step) -> Tensor:
        scene, self._scene = self._scene, None
        if scene is None:
            raise RuntimeError("expected an attacked batch, got none; try reporting this as a bug")
        with self._watch.running(scene.clean.device):
            self._take_over(scene, step)
            term = self.method.term(scene)
        self._add_up(term.detach().float(), len(scene.clean))
        return term

    def _take_over(self, scene: Scene, step: Step) -> None:
        """Tell the scene what the module's own step computed: its loss, and its logits where it called ``forward``."""
        output: Any = step.output
        scene.own_loss = output if isinstance(output, Tensor) else output["loss"]
        logits = scene.adapter.logits_of(step.forward) if step.forward is not None else None
        if logits is not None and logits.requires_grad and len(logits) == len(scene.clean):
            scene.know(self.method.sees, logits)
        elif not self._has_warned:
            self._has_warned = True
            name = type(self.method).__name__
            warnings.warn(
                f"expected a training_step that calls the module's forward on its batch, got none; {name} computes "
                "the logits with one more forward pass; try self(images) in training_step",
                stacklevel=2,
            )

    def _add_up(self, term: Tensor, samples: int) -> None:
        weighted = term * samples
        self._total = weighted if self._total is None else self._total + weighted
        self._count += samples

    def _forget(self) -> None:
        restore(self._saved)
        self._saved, self._scene = (), None

    def _current_attack(self) -> Attack:
        return scaled(self.attack, warmup_factor(self._epoch, self.eps_warmup_epochs))

    def _check_settings(self) -> None:
        if self.weight_perturbation is not None and not isinstance(self.weight_perturbation, AWP):
            got = type(self.weight_perturbation).__name__
            raise TypeError(f"expected weight_perturbation None or AWP(), got {got}; try AWP(gamma=0.01)")
        if not 0 <= self.clean_share <= 1:
            raise ValueError(f"expected clean_share in [0, 1], got {self.clean_share}; try clean_share=0.5")
        if self.eps_warmup_epochs < 0:
            raise ValueError(f"expected eps_warmup_epochs of at least 0, got {self.eps_warmup_epochs}; try 0")
        if self.batchnorm not in ("eval", "train"):
            raise ValueError(f"expected batchnorm 'eval' or 'train', got {self.batchnorm!r}; try batchnorm='eval'")
        if self.eps_warmup_epochs:
            scaled(self.attack, 0.5)  # raises for an attack without an eps
