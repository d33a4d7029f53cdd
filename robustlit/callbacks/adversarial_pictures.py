"""The pictures of an adversarial evaluation: attacked images, and the score over eps."""

from collections.abc import Mapping, Sequence

import pytorch_lightning as pl
import torch
from torch import Tensor

from robustlit.attacks import Attack
from robustlit.attacks.lengths import eps_words
from robustlit.callbacks.pictures import add_picture, class_names
from robustlit.core import Adapter
from robustlit.core.logits import two_sided
from robustlit.evaluation.attacked.adversarial_names import attack_facts, attack_words
from robustlit.evaluation.attacked.attack_tally import Attacked
from robustlit.metrics.cells import CellScore
from robustlit.panels.adversarial import Answer, adversarial_masks, adversarial_panel
from robustlit.panels.eps_curve import eps_curve

__all__ = ["Examples", "add_attacked_images", "add_eps_curve", "attack_card"]


class Examples:
    """A few images for the picture, from as many batches as there are: neighbours in a data set are often alike.

    Args:
        count: How many.
        batches: About how many batches will come.
    """

    def __init__(self, count: int, batches: int) -> None:
        self.left = count
        self._each = -(-count // max(1, batches))
        self._parts: list[tuple[Tensor, Attacked, Attacked]] = []

    def add(self, targets: Tensor, clean: Attacked, adversarial: Attacked) -> None:
        """Keep copies of a batch's first images, where they have the shape of those before."""
        if self._parts and clean.images.shape[1:] != self._parts[0][1].images.shape[1:]:
            return
        count = min(self._each, self.left, len(targets))
        self._parts.append((targets[:count].clone(), _head(clean, count), _head(adversarial, count)))
        self.left -= count

    def whole(self) -> tuple[Tensor, Attacked, Attacked] | None:
        """Return targets, clean and adversarial images with their logits; None where there are none."""
        if not self._parts:
            return None
        targets, *both = zip(*self._parts, strict=True)
        clean, adversarial = (Attacked(*(torch.cat(each) for each in zip(*side, strict=True))) for side in both)
        return torch.cat(targets), clean, adversarial


def add_attacked_images(
    trainer: pl.Trainer,
    pl_module: pl.LightningModule,
    adapter: Adapter,
    targets: Tensor,
    clean: Attacked,
    adversarial: Attacked,
    attack: Attack,
    prefix: str = "",
) -> None:
    """Draw a few images clean, what the attack added, attacked, and what the model says of both; tags have a prefix."""
    title = f"epoch {trainer.current_epoch} · attacked images"
    note = attack_words(attack)
    task = adapter.task_of(targets, clean.logits)
    if task in ("segmentation", "binary_segmentation"):
        masks = (targets.squeeze(1) if targets.ndim == 4 else targets).long()
        before, after = _masks(clean.logits), _masks(adversarial.logits)
        classes = max(2, clean.logits.shape[1])
        picture = adversarial_masks(
            clean.images, adversarial.images, masks, before, after, classes, adapter.ignore_index, title, note
        )
    else:
        names = class_names(trainer, pl_module)
        say = _say_labels if task == "multilabel" else _say_class
        truth, before_said = say(clean.logits, targets, names)
        _, after_said = say(adversarial.logits, targets, names)
        picture = adversarial_panel(clean.images, adversarial.images, truth, before_said, after_said, title, note)
    add_picture(trainer, f"{prefix}robust/adversarial_images", picture)


def add_eps_curve(
    trainer: pl.Trainer,
    attack: Attack,
    now: Mapping[float, float],
    first: Mapping[float, float],
    n: int,
    prefix: str = "",
) -> None:
    """Draw the score over eps of this evaluation, and of the first one for comparison.

    Args:
        trainer: Whose TensorBoard gets the picture.
        attack: Run at every eps.
        now: Scores by eps, 0 being the clean images.
        first: Those of the first evaluation; the same for the first itself.
        n: Number of images.
        prefix: What the tag begins with.
    """
    curves = {f"epoch {trainer.current_epoch}": now}
    if first != now:
        curves["first"] = first
    facts = attack_facts(attack)
    title = f"epoch {trainer.current_epoch} · score over eps of {facts['attack']}"
    note = f"{facts['norm'].capitalize()} · steps: {facts['steps']} · n = {n}"
    add_picture(trainer, f"{prefix}robust/eps_curve", eps_curve(curves, title=title, note=note))


def attack_card(attacks: Mapping[str, Attack], scores: Mapping[str, CellScore], facts: str, prefix: str = "") -> str:
    """Return what every key stands for, and its score with a 95 % interval, as a table in Markdown.

    Args:
        attacks: By the name in the key.
        scores: By the name in the key, and of the "clean" images.
        facts: What else the figures stand on.
        prefix: What the keys begin with.
    """
    header = ("key", "attack", "norm", "eps", "steps", "step size", "restarts", "loss", "score (95 %)")
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    clean = scores["clean"]
    lines.append(f"| `{prefix}robust/adversarial/clean` | none {'| ' * 6}| {_interval(clean)} |")
    for name, attack in attacks.items():
        known = attack_facts(attack)
        steps = known.get("steps", f"{known.get('queries', '')} queries")
        size, eps = known.get("step_size"), known.get("eps")
        values = [
            f"`{prefix}robust/adversarial/{name}`",
            known["attack"],
            known.get("norm", ""),
            "" if eps is None else eps_words(eps),
            steps,
            "" if size is None else f"{size:.4g}",
            known.get("restarts", 1),
            known["loss"],
            _interval(scores[name]) if name in scores else "",
        ]
        lines.append(f"| {' | '.join(map(str, values))} |")
    return "\n".join([*lines, "", f"n = {clean.n}, {facts}"])


def _interval(found: CellScore) -> str:
    return f"{found.score:.3f} ({found.low:.3f} to {found.high:.3f})"


def _masks(logits: Tensor) -> Tensor:
    return logits.max(1).indices if logits.shape[1] > 1 else (logits[:, 0] > 0).long()


def _say_class(logits: Tensor, targets: Tensor, names: Sequence[str] | None) -> tuple[list[str], list[Answer]]:
    confidence, predicted = two_sided(logits).softmax(1).max(1)
    truth = targets.tolist()

    def name(place: int) -> str:
        return names[place] if names and 0 <= place < len(names) else f"class {place}"

    said = [
        Answer(name(guess), sure, guess == true)
        for guess, sure, true in zip(predicted.tolist(), confidence.tolist(), truth, strict=True)
    ]
    return [name(place) for place in truth], said


def _say_labels(logits: Tensor, targets: Tensor, names: Sequence[str] | None) -> tuple[list[str], list[Answer]]:
    right = ((logits > 0) == (targets > 0.5)).float().mean(1)
    counts = (targets > 0.5).sum(1).tolist()
    shares = [Answer(f"{100 * share:.0f} % right", None, share == 1) for share in right.tolist()]
    return [f"{count} labels" for count in counts], shares


def _head(attacked: Attacked, count: int) -> Attacked:
    return Attacked(attacked.images[:count].clone(), attacked.logits[:count].detach().clone())
