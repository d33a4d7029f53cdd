"""Training of a decoder for AdaIN style transfer."""

from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from robustlit.augmentations.adain import (
    Encoder,
    adaptive_instance_norm,
    feature_statistics,
    invert_encoder,
    load_encoder,
)
from robustlit.panels import grid, to_pictures
from robustlit.panels.grid import titled

__all__ = ["StyleDecoderModule", "StyleLosses", "identity_loss", "style_losses"]

_ROWS = 4  # of pictures in TensorBoard


class StyleLosses(NamedTuple):
    """The two terms, scalars, without their weights."""

    content: Tensor
    style: Tensor


def style_losses(encoder: Encoder, decoder: nn.Module, content: Tensor, style: Tensor) -> StyleLosses:
    """Restyle images, and compare the result with what was asked for (Huang and Belongie, ICCV 2017, §6).

    Args:
        encoder: Frozen, to relu4_1.
        decoder: Features to pictures.
        content: Float N×3×H×W in [0, 1].
        style: Float N×3×H×W in [0, 1].

    Returns:
        Float32 scalars: for the content the mean squared difference of the result's features at relu4_1 from those that
        the decoder got, for the style those of channel means and standard deviations, summed over relu1_1 … relu4_1.
    """
    with torch.no_grad():
        wanted = [feature_statistics(features) for features in encoder.stages(style)]
        target = adaptive_instance_norm(encoder(content), wanted[-1])
    stages = encoder.stages(decoder(target))
    got = [feature_statistics(features) for features in stages]
    differences = [F.mse_loss(a.mean, b.mean) + F.mse_loss(a.std, b.std) for a, b in zip(got, wanted, strict=True)]
    return StyleLosses(F.mse_loss(stages[-1].float(), target), torch.stack(differences).sum())


def identity_loss(encoder: Encoder, decoder: nn.Module, images: Tensor) -> Tensor:
    """Return the mean squared difference of pixels between images and what the decoder makes of their own features.

    The first identity loss of Park and Lee, "Arbitrary style transfer with style-attentional networks" (CVPR 2019). It
    teaches a decoder to invert the encoder in far fewer steps than features alone do.
    """
    with torch.no_grad():
        features = encoder(images)
    return F.mse_loss(decoder(features).float(), images)


class StyleDecoderModule(pl.LightningModule):
    """Train the decoder of AdaIN on pairs of content and style (Huang and Belongie, ICCV 2017).

    After every epoch the weights are written to ``decoder.pth`` in the run folder, in the published layout, which
    :class:`~robustlit.augmentations.adain.AdaIN` reads. The encoder is frozen and in no checkpoint.

    =====================================  ===================================================================
    key                                    what
    =====================================  ===================================================================
    ``train/loss``                         weighted sum, mean over the epoch (``train/loss_step``: of one batch)
    ``train/content_loss`` …               ``style_loss`` and ``identity_loss``: the terms without their weights
    ``val/loss`` …                         the same, of held-out content
    ``val/styles`` (picture)               rows of content, style and result
    =====================================  ===================================================================

    Args:
        decoder: What :func:`~robustlit.augmentations.adain.style_decoder` builds.
        encoder: A file that :func:`~robustlit.augmentations.adain.load_encoder` reads, or an encoder.
        content_weight: Weight of the content loss.
        style_weight: Weight of the style loss.
        identity_weight: Weight of :func:`identity_loss`, which the paper does not have; for short trainings.
        inverse_images: So many training images are used, before the first step, to set the decoder to the layer-wise
            inverse of the encoder (:func:`~robustlit.augmentations.adain.invert_encoder`), which shows content at once;
            for short trainings. It needs a decoder of the encoder's widths in reverse order. A resumed run, and 0, go
            without.
        lr: Adam's learning rate at the start.
        decay: The rate is ``lr / (1 + decay · steps)``.

    Raises:
        ValueError: If the encoder cannot be read, its features are not what the decoder takes, or no loss has a weight.
    """

    headline = "val/loss"

    def __init__(
        self,
        decoder: nn.Module,
        *,
        encoder: str | Path | Encoder,
        content_weight: float = 1.0,
        style_weight: float = 10.0,
        identity_weight: float = 0.0,
        inverse_images: int = 0,
        lr: float = 1e-4,
        decay: float = 5e-5,
    ) -> None:
        super().__init__()
        self.decoder = decoder.to(memory_format=torch.channels_last)
        frozen = encoder if isinstance(encoder, Encoder) else load_encoder(encoder)
        taken = next(layer.in_channels for layer in decoder.modules() if isinstance(layer, nn.Conv2d))
        if taken != frozen.widths[-1]:
            raise ValueError(
                f"expected a decoder of the encoder's {frozen.widths[-1]} channels, got one of {taken}; "
                f"try model.widths=[{', '.join(map(str, reversed(frozen.widths)))}]"
            )
        self._encoder = [frozen.eval().requires_grad_(False)]  # a list hides it from state_dict and optimizer
        self.weights = {"content_loss": content_weight, "style_loss": style_weight, "identity_loss": identity_weight}
        if min(self.weights.values()) < 0 or max(self.weights.values()) == 0:
            raise ValueError(f"expected weights from 0, one of them positive, got {self.weights}; try style_weight=10")
        if inverse_images < 0:
            raise ValueError(f"expected inverse_images of at least 0, got {inverse_images}; try 100")
        self.inverse_images = inverse_images
        self.lr, self.decay = lr, decay
        self._shown: Tensor | None = None

    @property
    def encoder(self) -> Encoder:
        """The frozen encoder, on the module's device."""
        return self._encoder[0].to(self.device)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """Return content images N×3×H×W in other styles, float32 in [0, 1]."""
        statistics = feature_statistics(self.encoder(style))
        pictures: Tensor = self.decoder(adaptive_instance_norm(self.encoder(content), statistics))
        return pictures.float().clamp(0, 1)

    def on_train_start(self) -> None:
        """Begin with the inverse of the encoder, where that is asked for and nothing has been trained yet."""
        if not self.inverse_images or self.trainer.global_step:
            return
        found: list[Tensor] = []
        loader: Any = self.trainer.train_dataloader
        for batch in loader:
            found.append(self.trainer.strategy.batch_to_device(batch)["image"])
            if sum(map(len, found)) >= self.inverse_images:
                break
        with torch.autocast(self.device.type, enabled=False):
            images = torch.cat(found)[: self.inverse_images]
            invert_encoder(self.decoder, self.encoder, images)  # type: ignore[arg-type]
        shared = self.trainer.strategy.broadcast(self.decoder.state_dict())  # every process saw other images
        self.decoder.load_state_dict(shared)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        loss = self._loss("train", batch)
        self.log("train/loss_step", loss.detach(), on_step=True, on_epoch=False, prog_bar=True)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Log the losses of held-out content, and keep the first pictures."""
        self._loss("val", batch)
        if batch_idx == 0:
            content, style = batch["image"][:_ROWS], batch["style"][:_ROWS]
            self._shown = torch.stack([content, style, self(content, style)], dim=1)

    def on_validation_epoch_end(self) -> None:
        """Draw the first pictures."""
        if self._shown is not None and self.trainer.is_global_zero:
            sheet = titled("content · style · result", grid(to_pictures(self._shown.flatten(0, 1)), 3))
            for logger in self.trainer.loggers:
                if isinstance(logger, TensorBoardLogger):
                    step = max(0, self.trainer.global_step - 1)
                    logger.experiment.add_image("val/styles", sheet, step, dataformats="HWC")
        self._shown = None

    def on_train_epoch_end(self) -> None:
        """Write ``decoder.pth``.

        Raises:
            ValueError: If a weight is not finite; the file stays as it was.
        """
        state = {key: value.detach().cpu().contiguous() for key, value in self.decoder.state_dict().items()}
        if not all(bool(value.isfinite().all()) for value in state.values()):
            raise ValueError(f"expected finite weights, got others in epoch {self.current_epoch}; try a lower task.lr")
        if self.trainer.is_global_zero:
            path = Path(self.trainer.default_root_dir) / "decoder.pth"
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")  # complete beside the old file first: a kill never leaves half of one
            torch.save(state, part)
            part.replace(path)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build Adam with a rate that falls as the inverse of the steps."""
        optimizer = torch.optim.Adam(self.decoder.parameters(), lr=self.lr)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + self.decay * step))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _loss(self, prefix: str, batch: Any) -> Tensor:
        """Compute the terms that have a weight, log them and their sum, and return the sum."""
        content, encoder = batch["image"], self.encoder
        losses: dict[str, Tensor] = {}
        if self.weights["content_loss"] or self.weights["style_loss"]:
            terms = style_losses(encoder, self.decoder, content, batch["style"])
            losses |= {"content_loss": terms.content, "style_loss": terms.style}
        if self.weights["identity_loss"]:
            losses["identity_loss"] = identity_loss(encoder, self.decoder, content)
        loss = torch.stack([self.weights[name] * value for name, value in losses.items()]).sum()
        for name, value in {"loss": loss, **losses}.items():
            self.log(
                f"{prefix}/{name}",
                value.detach(),
                on_step=False,
                on_epoch=True,
                sync_dist=True,
                batch_size=len(content),
                prog_bar=f"{prefix}/{name}" == self.headline,
            )
        return loss
