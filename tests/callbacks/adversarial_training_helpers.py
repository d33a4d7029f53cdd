"""Modules trained with AdversarialTraining and by a loop by hand, and callbacks that look at what the step sees."""

import pytorch_lightning as pl
import torch
from torch.nn import functional as F

from robustlit.attacks import PGD
from robustlit.attacks.norms import LinfBall
from robustlit.core.pixels import pixel_hash
from robustlit.core.random import fold, mix, sample_seeds
from robustlit.methods import TRADES
from tests.tiny import DictModule, ForeignModule, loader, trainer, weights

EPS, STEPS = 0.1, 3
ATTACK = PGD(eps=EPS, step_size=0.05, steps=STEPS)
# For equality within rounding: at the paper's start, 0.001 beside the image, TRADES' gradients are themselves rounding,
# and a step is as long for them as for any other. From a start in the whole ball they are not.
WIDE = {"trades": TRADES(random_start=True)}


def seeded(kind: str = "tuple", **options) -> ForeignModule:
    torch.manual_seed(3)
    return DictModule(**options) if kind == "dict" else ForeignModule(**options)


def fitted(callback, kind="tuple", batch_size=8, count=32, model=None, module=None, **options):
    module = seeded(kind, **(model or {})) if module is None else module
    torch.manual_seed(5)  # of dropout
    trainer([callback] if callback else [], **options).fit(module, loader(kind, batch_size, count))
    return module


def search_by_hand(module, images, targets, seeds, kl: bool):
    """A plain loop on the module in eval mode, with gradients of everything."""
    ball = LinfBall(images, EPS)
    module.eval()
    with torch.no_grad():
        clean = module(images).float()[..., None].log_softmax(1)  # N×K×1, as the attack holds it: another kernel
    changed = ball.small(seeds) if kl else ball.random(seeds)
    for _ in range(STEPS):
        changed = changed.detach().requires_grad_()
        logits = module(changed).float()
        if kl:
            loss = (clean.exp() * (clean - logits[..., None].log_softmax(1))).sum()
        else:
            loss = F.cross_entropy(logits, targets, reduction="sum")
        (slope,) = torch.autograd.grad(loss, changed)
        changed = ball.clip(changed.detach() + 0.05 * slope.sign())
    module.train()
    return changed


def by_hand(module, trades=False, batch_size=8, autocast=False, epochs=2, count=32):
    """The training loop a user would write without any callback."""
    optimizer = module.configure_optimizers()
    torch.manual_seed(5)
    module.train()
    for epoch in range(epochs):
        for images, targets in loader(batch_size=batch_size, count=count):
            seeds = fold(sample_seeds(mix(11, "attack", epoch), pixel_hash(images)), "PGD")
            before = torch.get_rng_state()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast, cache_enabled=False):  # as Lightning
                changed = search_by_hand(module, images, targets, seeds, kl=trades)
                torch.set_rng_state(before)
                if trades:
                    logits = module(images)
                    shift = F.kl_div(
                        module(changed).float().log_softmax(1),
                        logits.float().log_softmax(1),
                        reduction="batchmean",
                        log_target=True,
                    )
                    loss = F.cross_entropy(logits, targets) + 6 * shift
                else:
                    loss = F.cross_entropy(module(changed), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return weights(module)


class Probe(pl.Callback):
    """Keeps what the module's step was given and the weights that it saw."""

    def __init__(self) -> None:
        self.images, self.weights = [], []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        def keep(module, inputs) -> None:
            self.images.append(inputs[0].detach())
            self.weights.append(weights(module))

        self.before = weights(pl_module)
        self.handle = pl_module.register_forward_pre_hook(keep)

    def on_before_optimizer_step(self, trainer, pl_module, optimizer) -> None:
        self.handle.remove()
        self.after = weights(pl_module)


class Manual(ForeignModule):
    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch, batch_idx):
        optimizer = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(F.cross_entropy(self(batch[0]), batch[1]))
        optimizer.step()
