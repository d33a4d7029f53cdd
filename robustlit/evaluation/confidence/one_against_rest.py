"""Every class as a question of yes and no, with a score for yes."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from robustlit.core import Adapter
from robustlit.core.logits import two_sided
from robustlit.core.names import lookup

__all__ = ["Question", "questioned", "questions"]


@dataclass(frozen=True)
class Question:
    """One class against the rest.

    Args:
        scores: Float64 M, the log-odds of yes: they rank as the probability does, and do not round to 1.
        positives: Bool M, the truth.
    """

    scores: Tensor
    positives: Tensor

    @property
    def is_open(self) -> bool:
        """Whether both answers occur, and every score is a number."""
        return bool(self.positives.any()) and not bool(self.positives.all()) and not bool(self.scores.isnan().any())


def questioned(
    task: str, num_classes: int, class_names: Sequence[str] = (), positive: str | int | None = None
) -> dict[str, int]:
    """Return the classes that are asked for, with their numbers.

    Of two classes it is the second one, of more each, of a multi-label task every label.

    Args:
        task: "classification" or "multilabel".
        num_classes: K; 1 for a single logit.
        class_names: The names; numbers stand in.
        positive: A name or a number of the only class that is asked for.

    Raises:
        ValueError: For another task, or an unknown class.

    Example:
        >>> questioned("classification", 2, ("benign", "malignant"))
        {'malignant': 1}
    """
    if task not in ("classification", "multilabel"):
        raise ValueError(f"expected classification for an operating point, got {task}; try evaluation=[clean]")
    count = 2 if task == "classification" and num_classes == 1 else num_classes
    names = list(class_names) if len(class_names) == count else [str(number) for number in range(count)]
    known = {name: number for number, name in enumerate(names)}
    if positive is not None:
        if isinstance(positive, int) and not 0 <= positive < count:
            raise ValueError(f"expected positive in 0…{count - 1}, got {positive}; try its name")
        name = names[positive] if isinstance(positive, int) else positive
        return {name: lookup("class", name, known)}
    if task == "classification" and count == 2:
        return {names[1]: 1}
    return known


def questions(
    adapter: Adapter, logits: Tensor, targets: Tensor, multilabel: bool, classes: dict[str, int]
) -> dict[str, Question]:
    """Return the classes' questions, with the answers of a model.

    Args:
        adapter: What targets do not count.
        logits: N×K; N×1 for two classes.
        targets: N, or N×K for multi-label tasks.
        multilabel: Whether every label is a question of its own already.
        classes: What :func:`questioned` gave.

    Example:
        >>> found = questions(Adapter(), torch.tensor([[0.0, 2.0]]), torch.tensor([1]), False, {"yes": 1})
        >>> found["yes"].scores.item(), found["yes"].positives.item()
        (2.0, True)
    """
    logits = logits.double()
    ignored = adapter.ignored
    found = {}
    if not multilabel and targets.ndim == 2:
        targets = targets.argmax(1)
    if not multilabel:
        logits = two_sided(logits)
    for name, number in classes.items():
        own = targets[:, number] if multilabel else targets
        counted = own != ignored
        scores = logits[:, number]
        if not multilabel:
            scores = scores - logits.index_fill(1, torch.tensor(number), -torch.inf).logsumexp(1)
        truth = own > 0.5 if multilabel else own == number
        found[name] = Question(scores[counted], truth[counted])
    return found
