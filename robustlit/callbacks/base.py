"""What callbacks that change training share: they join the module's pipeline for fit and leave it without a trace."""

from abc import abstractmethod

import pytorch_lightning as pl

from robustlit.core.pipeline import Pipeline

__all__ = ["PipelineCallback"]


class PipelineCallback(pl.Callback):
    """Base of the callbacks that put stages around ``training_step``; subclasses write ``add_stages``."""

    @property
    def is_active(self) -> bool:
        """Whether there is anything to add; a module is not wrapped for nothing."""
        return True

    @abstractmethod
    def add_stages(self, pipeline: Pipeline) -> None:
        """Add this callback's stages, with ``self`` as their owner."""

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Join the module's pipeline when a fit begins."""
        if stage == "fit" and self.is_active:
            Pipeline.leave(pl_module, self)  # a fit that was broken off may have left our stages behind
            self.add_stages(Pipeline.join(pl_module, self))

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leave the pipeline; the last callback to leave puts the module's own step back."""
        Pipeline.leave(pl_module, self)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leave the pipeline: Lightning calls no teardown after an exception."""
        Pipeline.leave(pl_module, self)
