"""The frames of filmstrips: a few epochs of every probe image, kept over a resume."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from robustlit.panels.filmstrip import Frame, filmstrip, thinned
from robustlit.panels.text import Picture

__all__ = ["History"]


class History:
    """What was shown of every probe image at some epochs, about evenly spaced in their logarithm."""

    def __init__(self) -> None:
        self._frames: list[list[Frame]] = []

    def add(self, frames: Sequence[Frame]) -> None:
        """Add one epoch: a frame an image."""
        if len(self._frames) != len(frames):
            self._frames = [[] for _ in frames]
        for place, frame in enumerate(frames):
            together = [*self._frames[place], frame]
            kept = thinned([each.epoch for each in together])
            self._frames[place] = [each for each in together if each.epoch in kept]

    def strips(self, images: Sequence[Picture], titles: Sequence[str], note: str) -> list[Picture]:
        """Draw the filmstrip of every image."""
        parts = zip(images, self._frames, titles, strict=True)
        return [filmstrip(image, frames, title, note) for image, frames, title in parts]

    def save(self, path: Path) -> None:
        """Write all frames to an ``.npz`` file."""
        if not self._frames or not self._frames[0]:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(
            part,
            pictures=np.array([[frame.picture for frame in frames] for frames in self._frames]),
            epochs=np.array([frame.epoch for frame in self._frames[0]]),
            says=np.array([[frame.says for frame in frames] for frames in self._frames]),
            right=np.array([[frame.right for frame in frames] for frames in self._frames]),
        )
        part.replace(path)

    def load(self, path: Path, before: int) -> None:
        """Read the frames of earlier epochs, where there is a file of them."""
        if not path.is_file():
            return
        with np.load(path, allow_pickle=False) as found:
            places = [place for place, epoch in enumerate(found["epochs"].tolist()) if epoch < before]
            self._frames = [
                [Frame(int(found["epochs"][i]), pictures[i], str(says[i]), bool(right[i])) for i in places]
                for pictures, says, right in zip(found["pictures"], found["says"], found["right"], strict=True)
            ]
