"""The DataLoader of the training batches, for Lightning's question whether a run can go on in mid-epoch."""

from typing import Any

from torch.utils.data import DataLoader

__all__ = ["ResumableLoader"]


class ResumableLoader(DataLoader[dict[str, Any]]):
    """A loader that can be resumed, because its batch sampler is told where to start.

    Lightning warns about loaders without these two methods. There is nothing for them to keep: the position is in the
    state of the :class:`~robustlit.data.base.VisionDataModule`.
    """

    def state_dict(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Do nothing."""
