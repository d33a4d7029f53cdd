"""What every method of adversarial training is."""

from typing import ClassVar, Literal

from torch import Tensor

from robustlit.attacks import Attack
from robustlit.methods.scene import Scene

__all__ = ["Method"]


class Method:
    """Base of the methods: which images the module's own step sees, and which term is added to the loss it returns.

    ``sees`` is "adversarial" or "clean"; ``adds_loss`` tells whether there is a term, which automatic optimisation only
    can add.
    """

    sees: ClassVar[Literal["clean", "adversarial"]] = "adversarial"
    adds_loss: ClassVar[bool] = False

    def prepare(self, attack: Attack) -> Attack:
        """Return the attack as this method runs it."""
        return attack

    def term(self, scene: Scene) -> Tensor:
        """Return what is added to the module's own loss, a scalar with a graph."""
        return scene.clean.new_zeros(())

    def objective(self, scene: Scene) -> Tensor:
        """Return the whole loss, with the adapter's loss in the place of the module's own."""
        scene.own_loss = scene.loss(self.sees)
        return scene.own_loss + self.term(scene)
