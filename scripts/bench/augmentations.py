"""How fast are the augmentations? Images a second beside albumentations, torchvision v2 and, if installed, kornia.

    python scripts/bench/augmentations.py [--only fourier,augmix] [--turns 15]
    python scripts/bench/augmentations.py --device cuda [--batch-size 256]

On CPU: one thread, process CPU time, batches of 8 colour images of 224×224, every image changed (p = 1). Ours get float
batches with new seeds each time; albumentations works image by image on uint8 (float32 where it draws noise), as it is
used; torchvision and kornia get the whole batch, torchvision uint8 where it asks for it. All take turns, so that a
change in the machine's load meets all of them; the figures are means over the turns, because the draws differ in cost.
A turn's first call warms up and does not count.

On CUDA: milliseconds a batch of ours, and their share of a training step of ResNet-50 (bfloat16 autocast, channels
last) on the same batch. There AdaIN is among them, on a quarter of the images with styles of the batch, in the same
autocast; its weights are random, which the time does not depend on.
"""

import argparse
import importlib.util
import os
import time
from statistics import mean, median

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import torch
from torch.nn import functional as F

from robustlit.augmentations import (
    PRIME,
    AdaIN,
    AmplitudePhase,
    AugMix,
    ChannelStatistics,
    CutMix,
    Cutout,
    Fourier,
    GaussianNoise,
    MixUp,
    PaintingByNumbers,
    PatchGaussian,
    RandAugment,
    RandomConvolution,
    Reinhard,
    TrivialAugment,
    Voronoi,
)
from robustlit.augmentations.adain import Encoder, style_decoder

SIZE = 224
ADAIN = "adain, a quarter of the images"
OURS = {
    "patch_gaussian": PatchGaussian.imagenet(),
    "gaussian_noise": GaussianNoise(0.5, p=1.0),
    "cutout": Cutout(100),
    "channel_statistics": ChannelStatistics(p=1.0),
    "channel_statistics, 8 Voronoi cells": ChannelStatistics(p=1.0, region=Voronoi(8)),
    "reinhard": Reinhard(p=1.0),
    "fourier": Fourier(p=1.0, beta=(0.0, 0.1)),
    "amplitude_phase": AmplitudePhase(p=1.0),
    "random_convolution": RandomConvolution(p=1.0),
    "painting_by_numbers": PaintingByNumbers(21, p=1.0),
    "augmix": AugMix(severity=3),
    "prime": PRIME(),
    "prime (imagenet)": PRIME.imagenet(),
    "mixup": MixUp(),
    "cutmix": CutMix(),
    "rand_augment": RandAugment(),
    "trivial_augment": TrivialAugment(),
}
ASKED = (  # ours, the other, at least so many times as fast
    ("fourier", "albumentations FDA", 10.0),
    ("augmix", "torchvision AugMix", 1.0),
    ("patch_gaussian", "torchvision GaussianNoise", 1600 / 1857),  # both as first measured, on an idle machine
)
PATCH_GAUSSIAN = 1600  # images a second


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="comma-separated beginnings of names, default all")
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--batch-size", type=int, help="default 8 on CPU, 256 on CUDA")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = parser.parse_args()
    (on_cuda if options.device == "cuda" else on_cpu)(options)


def test_images(count):
    """Smooth colour fields with a little noise, uint8."""
    generator = torch.Generator().manual_seed(0)
    images = torch.zeros(count, 3, SIZE, SIZE)
    for cells, weight in ((4, 0.5), (16, 0.3), (56, 0.15), (SIZE, 0.05)):
        field = torch.rand(count, 3, cells, cells, generator=generator)
        images += weight * F.interpolate(field, size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    return (images * 255).to(torch.uint8)


def wanted(names, options):
    starts = tuple(options.only.split(",")) if options.only else ("",)
    return [name for name in names if name.startswith(starts) or (options.only and name in needed(starts))]


def needed(starts):
    """What the asked-for ratios compare with."""
    return {other for ours, other, _ in ASKED if ours.startswith(starts)}


def our_calls(images, device):
    floats = (images.float() / 255).to(device)
    masks = torch.arange(SIZE, device=device).div(11, rounding_mode="floor").expand(len(images), SIZE, SIZE)

    def call(op):
        return lambda turn: op(floats, turn, masks) if op.needs_masks else op(floats, turn)

    return {name: call(op) for name, op in OURS.items()}


def adain_call(images, device):
    floats, operation = (images.float() / 255).to(device), AdaIN(Encoder(), style_decoder(), p=0.25)

    def call(turn):
        with torch.autocast(device, dtype=torch.bfloat16):
            return operation(floats, turn)

    return call


def other_calls(images):
    """Calls of the other packages, and how they were used."""
    import albumentations as A
    from torchvision.transforms import v2

    floats = images.float() / 255
    singles = [image.permute(1, 2, 0).contiguous().numpy() for image in images]
    float_singles = [single.astype("float32") / 255 for single in singles]

    def each(transform, pictures):
        return lambda turn: [transform(image=picture) for picture in pictures]

    def fda(turn):
        for place, single in enumerate(singles):
            A.FDA(beta_limit=(0, 0.1), p=1.0)(image=single, fda_metadata=[singles[place - 1]])

    labels = torch.arange(len(images))
    calls = {
        "albumentations FDA": fda,
        "albumentations GaussNoise": each(A.GaussNoise(std_range=(0.5, 0.5), p=1.0), float_singles),
        "albumentations CoarseDropout": each(
            A.CoarseDropout(num_holes_range=(1, 1), hole_height_range=(100, 100), hole_width_range=(100, 100), p=1.0),
            singles,
        ),
        "torchvision GaussianNoise": lambda turn: v2.GaussianNoise(sigma=0.5)(floats),
        "torchvision AugMix": lambda turn: v2.AugMix(severity=3)(images),
        "torchvision AugMix, our nine operations": lambda turn: v2.AugMix(severity=3, all_ops=False)(images),
        "torchvision RandAugment, image by image": lambda turn: [v2.RandAugment()(image) for image in images],
        "torchvision TrivialAugmentWide, image by image": lambda turn: [
            v2.TrivialAugmentWide()(image) for image in images
        ],
        "torchvision MixUp": lambda turn: v2.MixUp(num_classes=8)(floats, labels),
        "torchvision CutMix": lambda turn: v2.CutMix(num_classes=8)(floats, labels),
    }
    if importlib.util.find_spec("kornia") is not None:
        import kornia.augmentation as K

        calls["kornia RandomGaussianNoise"] = lambda turn: K.RandomGaussianNoise(std=0.5, p=1.0)(floats)
    else:
        print("kornia is not installed")
    return calls


def on_cpu(options):
    torch.set_num_threads(1)
    images = test_images(options.batch_size or 8)
    calls = {**our_calls(images, "cpu"), **other_calls(images)}
    names = wanted(calls, options)
    print(f"one CPU thread, {SIZE}×{SIZE}, batches of {len(images)}, images a second of CPU time, p = 1\n")
    spent = {name: [] for name in names}
    for turn in range(options.turns + 1):
        for name in names:
            start = time.process_time()
            calls[name](turn)
            if turn:
                spent[name].append((time.process_time() - start) / len(images))
    print(f"{'':48}{'images/s':>10}{'ms/image':>10}{'median ms':>11}")
    for name in names:
        print(f"{name:48}{1 / mean(spent[name]):10.0f}{1e3 * mean(spent[name]):10.2f}{1e3 * median(spent[name]):11.2f}")
    print()
    if "patch_gaussian" in spent:
        speed = 1 / mean(spent["patch_gaussian"])
        law = "side uniform from 1 to 250, sigma uniform to 1"
        print(f"PatchGaussian ({law}): {speed:.0f} images/s, asked {PATCH_GAUSSIAN}")
    for ours, other, least in ASKED:
        if ours in spent and other in spent:
            print(f"{ours}: {mean(spent[other]) / mean(spent[ours]):.1f}× {other}, asked {least:.2g}×")


def on_cuda(options):
    images = test_images(options.batch_size or 256)
    step = resnet50_step((images.float() / 255).cuda())
    calls = {**our_calls(images, "cuda"), ADAIN: adain_call(images, "cuda")}
    print(f"{torch.cuda.get_device_name()}, {len(images)} images {SIZE}×{SIZE}; ResNet-50 step {1e3 * step:.1f} ms\n")
    print(f"{'':48}{'ms/batch':>10}{'of a step':>11}")
    for name in wanted(calls, options):
        seconds = cuda_seconds(lambda turn, call=calls[name]: call(turn), options.turns)
        print(f"{name:48}{1e3 * seconds:10.2f}{seconds / step:11.1%}")


def cuda_seconds(call, turns):
    """Mean time of a call between two events on the stream, after two calls that warm up."""
    times = []
    for turn in range(-2, turns):
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        start.record()
        call(turn + 2)
        stop.record()
        stop.synchronize()
        if turn >= 0:
            times.append(start.elapsed_time(stop) / 1e3)
    return mean(times)


def resnet50_step(images):
    """Seconds of forward, backward and SGD step."""
    from torchvision.models import resnet50

    model = resnet50(weights=None).cuda().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    batch = images.to(memory_format=torch.channels_last)
    labels = torch.zeros(len(images), dtype=torch.int64, device="cuda")

    def step(turn):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(batch), labels)
        loss.backward()
        optimizer.step()

    return cuda_seconds(step, 9)


if __name__ == "__main__":
    main()
