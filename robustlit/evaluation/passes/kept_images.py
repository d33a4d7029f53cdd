"""A few of the images of a pass, to be drawn at its end."""

from robustlit.core.random import fold
from robustlit.evaluation.passes.gathering import Chunk

__all__ = ["KeptImages"]


class KeptImages:
    """Keeps a few of the images that pass, chosen by a hash of their index: the same ones in any order and batches.

    Folders are sorted by class, and the first images would all be of one. Images of another size than the first are
    passed over. The host does not wait for the device.

    Args:
        count: How many.

    Attributes:
        chunk: What is kept so far, in the order of its hashes; None before the first image.

    Example:
        >>> import torch
        >>> kept, images = KeptImages(2), Chunk(torch.rand(9, 3, 8, 8), torch.zeros(9), torch.arange(9))
        >>> for start in (0, 3, 6):
        ...     kept.add(images[start : start + 3])
        >>> bool((kept.chunk.images == images.images[kept.chunk.ids]).all()), len(kept.chunk)
        (True, 2)
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.chunk: Chunk | None = None

    def add(self, chunk: Chunk) -> None:
        """Choose anew, among those kept so far and these."""
        some = self._chosen(chunk)
        if self.chunk is None:
            self.chunk = some
        elif self.chunk.fits(some):
            self.chunk = self._chosen(Chunk.joined([self.chunk, some]))

    def _chosen(self, chunk: Chunk) -> Chunk:
        return chunk[fold(chunk.ids, "kept").argsort()[: self.count]]
