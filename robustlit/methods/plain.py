"""Plain adversarial training."""

from dataclasses import dataclass

from robustlit.methods.base import Method

__all__ = ["Plain"]


@dataclass(frozen=True)
class Plain(Method):
    """Trains on the adversarial images in the place of the clean ones, with the module's own loss.

    With PGD: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks" (2018); with FGSM and a
    random start: Wong et al., "Fast is better than free: Revisiting adversarial training" (2020).

    Example:
        >>> Plain().sees, Plain().adds_loss
        ('adversarial', False)
    """
