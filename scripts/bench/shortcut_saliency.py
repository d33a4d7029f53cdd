"""Does a map show that a network took a shortcut? The share of it on the object, with and without one in training.

    python scripts/bench/shortcut_saliency.py [--pictures 3000] [--epochs 6] [--seeds 0 1] [--tests 500]

The husky on snow, with known truth: on `shapes` one small net is trained where neither texture nor background tells the
class, one where the background does in 95 % of the pictures, one where the texture does. All three then see the same
test pictures, in which neither tells anything, and their maps explain what they answer. The share of a map's positive
values inside the true silhouette (energy-based pointing game) is compared picture by picture; the intervals are 95 %
over the pictures.
"""

import argparse
import logging
import math
import time

import pytorch_lightning as pl
import torch

from robustlit.callbacks import StepSeed
from robustlit.data.shapes import ShapesDataModule
from robustlit.explanations import explain, mask_energy
from robustlit.metrics.interval import wilson
from robustlit.models import small_cnn
from robustlit.modules import ClassificationModule

METHODS = ("saliency", "gradient_x_input", "grad_cam")
SHORTCUTS = {
    "none": {"background_correlation": 0.0, "texture_correlation": 0.0},
    "background": {"background_correlation": 0.95, "texture_correlation": 0.0},
    "texture": {"background_correlation": 0.0, "texture_correlation": 0.95},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--tests", type=int, default=500)
    options = parser.parse_args()
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    print(f"small_cnn, {options.pictures} pictures, {options.epochs} epochs, n = {options.tests} test pictures")
    for seed in options.seeds:
        found = {}
        for name, correlations in SHORTCUTS.items():
            found[name] = measured(name, correlations, options, seed)
        for name in SHORTCUTS:
            if name != "none":
                compare(found["none"], found[name], f"seed {seed}, {name} shortcut minus none")


def measured(name, correlations, options, seed):
    """Train one network, print how right it is and where it looks, and return the share inside the mask by method."""
    start = time.perf_counter()
    data = ShapesDataModule(
        train_size=options.pictures, val_size=100, test_size=options.tests, batch_size=64, num_workers=0, seed=seed,
        **correlations,
    )  # fmt: skip
    module = trained(data, options.epochs, seed)
    hits, shares, areas = [], {method: [] for method in METHODS}, []
    place = data.test_names.index("uncorrelated")
    for raw in data.test_dataloader()[place]:
        batch = data.on_after_batch_transfer(raw, 0)
        maps = explain(module, batch["image"], methods=METHODS)
        hits.append(maps.logits.argmax(1) == batch["target"])
        areas.append(batch["mask"].float().mean((1, 2)))
        for method in METHODS:
            shares[method].append(mask_energy(maps[method].clamp(min=0), batch["mask"]))
    right, shares = torch.cat(hits), {method: torch.cat(parts).double() for method, parts in shares.items()}
    low, high = wilson(int(right.sum()), len(right))
    accuracy = f"{right.double().mean():.3f} ({low:.3f} to {high:.3f})"
    print(f"\nseed {seed}, shortcut {name}: accuracy where nothing but the shape tells {accuracy}; {seconds(start)}")
    print(f"  {'the object covers':<18} {torch.cat(areas).mean():.3f} of a picture")
    for method, values in shares.items():
        print(f"  {method:<18} {interval(values)} inside the mask")
    return shares


def trained(data, epochs, seed):
    pl.seed_everything(seed, verbose=False)
    data.setup()
    network = small_cnn(num_classes=data.num_classes)
    module = ClassificationModule(network, num_classes=data.num_classes, mean=data.mean, std=data.std)
    steps = epochs * len(data.train_dataloader())
    optimizer = torch.optim.AdamW(module.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    module.configure_optimizers = lambda: {
        "optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}
    }  # fmt: skip
    trainer = pl.Trainer(
        max_epochs=epochs, accelerator="cpu", callbacks=[StepSeed(seed)], logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False, num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(module, data)
    return module


def compare(without, taken, title):
    print(f"\n{title}, the same {len(without['saliency'])} pictures")
    for method in METHODS:
        print(f"  {method:<18} {interval(taken[method] - without[method], sign='+')}")


def interval(values, sign=""):
    """Write the mean with its 95 % interval; pictures whose map is zero everywhere are left out."""
    values = values[~values.isnan()]
    half = 1.96 * float(values.std()) / math.sqrt(len(values))
    mean = float(values.mean())
    return f"{mean:{sign}.3f} ({mean - half:{sign}.3f} to {mean + half:{sign}.3f}, n = {len(values)})"


def seconds(start):
    return f"{time.perf_counter() - start:.0f} s"


if __name__ == "__main__":
    main()
