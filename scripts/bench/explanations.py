"""What do explanations cost? Four maps of one pass against one forward and backward pass, beside other libraries.

    python scripts/bench/explanations.py [--rounds 11] [--device cuda]

ResNet-18, 224×224, 8 images; on CPU one thread and the process's own seconds, so that other work on the machine counts
little. The unit is the least that a gradient by the pixels costs: one forward and one backward pass to the input with
``torch.autograd.grad``, parameters frozen. Every round times the unit and each entry in a new order; the figures are
medians of the per-round ratios, so that a change in the machine's load meets both.
captum, torchcam and grad-cam take part where they are importable (the dev extra has the first two; the third brings
scikit-learn), each with Grad-CAM, which all have, and with the same four methods as far as
they have them, called one after the other.
"""

import argparse
import importlib.util
import random
import time
from statistics import median

import torch

from robustlit.explanations import explain
from robustlit.models import resnet18

FOUR = ("saliency", "grad_cam", "grad_cam_pp", "layer_cam")
CLASS = 3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = resnet18(num_classes=1000).to(options.device).eval()
    images = torch.rand(options.batch_size, 3, 224, 224, device=options.device)
    entries = ours(model, images) | captum(model, images) | torchcam(model, images) | grad_cam(model, images)
    times = measure(entries, options.rounds, options.device)
    unit = times.pop("unit")
    print(f"ResNet-18, 224 px, batch {options.batch_size}, {options.device}, {options.rounds} rounds, one thread")
    print(f"one forward and one backward to the input: {1000 * median(unit):.0f} ms (least {1000 * min(unit):.0f} ms)")
    print(f"{'':58} ratio (median of rounds, quartiles)   least/least")
    for name, taken in times.items():
        ratios = sorted(mine / base for mine, base in zip(taken, unit, strict=True))
        low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
        print(f"{name:58} {median(ratios):5.2f}  {low:.2f} to {high:.2f} {min(taken) / min(unit):22.2f}")


def measure(entries, rounds, device):
    times = {name: [] for name in entries}
    order = list(entries)
    clock = time.process_time if device == "cpu" else time.perf_counter
    for round_number in range(rounds + 1):
        random.Random(round_number).shuffle(order)
        for name in order:
            wait(device)
            start = clock()
            entries[name]()
            wait(device)
            if round_number:  # the first one warms up
                times[name].append(clock() - start)
    return times


def wait(device):
    if device != "cpu":
        torch.cuda.synchronize()


def ours(model, images):
    def unit():
        pixels = images.detach().clone().requires_grad_()
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        torch.autograd.grad(model(pixels)[:, CLASS].sum(), pixels)
        for parameter in model.parameters():
            parameter.requires_grad_(True)

    return {
        "unit": unit,
        f"robustlit: {', '.join(FOUR)}": lambda: explain(model, images, CLASS, FOUR),
        "robustlit: saliency": lambda: explain(model, images, CLASS, "saliency"),
        "robustlit: grad_cam": lambda: explain(model, images, CLASS, "grad_cam"),
        "robustlit: four and guided_backprop": lambda: explain(model, images, CLASS, (*FOUR, "guided_backprop")),
    }


def captum(model, images):
    if not found("captum"):
        return {}
    from captum.attr import LayerGradCam, Saliency

    def saliency():
        return Saliency(model).attribute(images.clone().requires_grad_(), target=CLASS)

    def cam():
        return LayerGradCam(model, model.layer4).attribute(images, target=CLASS, relu_attributions=True)

    return {"captum: grad_cam": cam, "captum: saliency, grad_cam (all it has)": lambda: (saliency(), cam())}


def torchcam(model, images):
    if not found("torchcam"):
        return {}
    from torchcam.methods import GradCAM, GradCAMpp, LayerCAM

    def one(method):
        with method(model, "layer4") as extractor:
            return extractor(CLASS, model(images.clone().requires_grad_()))

    several = "torchcam: grad_cam, grad_cam_pp, layer_cam (all it has)"
    return {
        "torchcam: grad_cam": lambda: one(GradCAM),
        several: lambda: [one(method) for method in (GradCAM, GradCAMpp, LayerCAM)],
    }


def grad_cam(model, images):
    if not found("pytorch_grad_cam"):
        return {}
    from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, LayerCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    wanted = [ClassifierOutputTarget(CLASS)] * len(images)

    def one(method):
        with method(model, [model.layer4]) as extractor:
            maps = extractor(images, wanted)
        model.zero_grad()
        return maps

    several = "grad-cam: grad_cam, grad_cam_pp, layer_cam (all it has)"
    return {
        "grad-cam: grad_cam": lambda: one(GradCAM),
        several: lambda: [one(method) for method in (GradCAM, GradCAMPlusPlus, LayerCAM)],
    }


def found(package):
    there = importlib.util.find_spec(package) is not None
    if not there:
        print(f"{package} is not importable, so it is left out")
    return there


if __name__ == "__main__":
    main()
