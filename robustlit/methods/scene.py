"""What a method may look at: a batch, clean and adversarial, and the model's logits of both."""

from collections.abc import Callable

from torch import Tensor

from robustlit.attacks import Attack
from robustlit.attacks.losses import Aim, cross_entropy
from robustlit.attacks.problem import Problem
from robustlit.core import Adapter

__all__ = ["Scene"]


class Scene:
    """A batch, clean and adversarial, with the model's logits of both; each is computed once, when first asked for.

    The formulas of the methods are written for rows: logits N×K×P and labels N×P, where P is 1 for classification, the
    number of labels for multi-label targets and the number of pixels for masks.

    Args:
        model: Images in [0, 1] to logits, with a graph.
        clean: N×C×H×W in [0, 1].
        adversarial: Likewise.
        targets: As in the batch.
        seeds: int64 of shape N, for methods that draw.
        attack: What made the adversarial images.
        adapter: How the module's loss is computed and which targets do not count.
    """

    def __init__(
        self,
        model: Callable[[Tensor], Tensor],
        clean: Tensor,
        adversarial: Tensor,
        targets: Tensor,
        seeds: Tensor,
        *,
        attack: Attack,
        adapter: Adapter,
    ) -> None:
        self.model, self.clean, self.adversarial, self.targets, self.seeds = model, clean, adversarial, targets, seeds
        self.attack, self.adapter = attack, adapter
        self.own_loss: Tensor | None = None
        self._logits: dict[str, Tensor] = {}
        self._problem = Problem(model, targets, cross_entropy, ignore_index=attack.ignore_index)

    def fresh(self) -> "Scene":
        """Return the scene without the logits that it knows, for a model whose weights have moved."""
        batch = (self.clean, self.adversarial, self.targets, self.seeds)
        return Scene(self.model, *batch, attack=self.attack, adapter=self.adapter)

    def know(self, which: str, logits: Tensor) -> None:
        """Say what the module's own step has computed already: the logits of the "clean" or "adversarial" images."""
        self._logits[which] = logits

    def logits(self, which: str) -> Tensor:
        """Return the logits of the "clean" or "adversarial" images as the adapter reads them, with a graph."""
        if which not in self._logits:
            self._logits[which] = self.model(self.clean if which == "clean" else self.adversarial)
        return self._logits[which]

    def rows(self, which: str) -> Tensor:
        """Return the logits of the "clean" or "adversarial" images, float32 N×K×P; a binary logit z becomes (0, z)."""
        self._problem.compare_with(self.logits(which))
        rows = self._problem.aim.clean
        if rows is None:  # compare_with has just set it; this tells the type checker
            raise RuntimeError("expected rows of logits, got none; try reporting this as a bug")
        return rows

    @property
    def aim(self) -> Aim:
        """The labels N×P, and which of them count."""
        return Aim(self._problem.aim.labels, self._problem.aim.valid)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of N×P values over what counts in every image, then over the images."""
        valid = self.aim.valid
        return ((values * valid).sum(1) / valid.sum(1).clamp(min=1)).mean()

    def loss(self, which: str) -> Tensor:
        """Return the mean loss of the "clean" or "adversarial" images, as the adapter computes it."""
        return self.adapter.per_sample_loss(self.logits(which), self.targets).mean()
