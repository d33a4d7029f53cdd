"""How callbacks log what they cost."""

import pytorch_lightning as pl

__all__ = ["log_cost"]


def log_cost(pl_module: pl.LightningModule, name: str, value: float) -> None:
    """Log ``cost/<name>`` as the first process measured it.

    With ``rank_zero_only`` nothing is sent between processes; ``sync_dist`` only keeps Lightning from advising it.

    Args:
        pl_module: The module that logs.
        name: The key without "cost/".
        value: The figure.
    """
    pl_module.log(f"cost/{name}", value, sync_dist=True, rank_zero_only=True)
