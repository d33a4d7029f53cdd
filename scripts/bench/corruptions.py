"""How fast are the corruptions? Images a second beside imagecorruptions, measured in the same run.

    python scripts/bench/corruptions.py --reference-python PATH [--severities 1,2,3,4,5] [--bar]
    python scripts/bench/corruptions.py --device cuda [--batch-size 256]

On CPU: one thread, process CPU time, 224×224 colour. Every corruption takes turns (the reference one image at a time
in a process of its own, ours on a batch of float32, ours on a batch of uint8), so that a change in the machine's load
meets all three; the figures are medians over the turns. As much memory as a batch of 40 is freed once beforehand, as
any process that trains has done: until then the C library asks the system anew for every batch, and clearing its pages
takes longer than the arithmetic. The reference is the package imagecorruptions (Michaelis et al. 2019) of the
interpreter given, because its wheel needs an old stack: Python 3.9, numpy 1.23.5, scipy 1.9.3, scikit-image 0.18.3,
opencv-python-headless 4.5.5.64, setuptools 69.5.1, imagecorruptions 1.1.2. Without ``--reference-python`` it is this
interpreter's package if it has one; a corruption it cannot run shows a dash.

On CUDA: images a second of every corruption, averaged over the severities; its share of the memory bandwidth (the bytes
of reading the images and writing the results once, against a device copy timed in the same run); and all cells together
against ResNet-50 bf16 forwards of the same images.
"""

import argparse
import base64
import importlib.util
import json
import os
import subprocess
import sys
import time
from functools import partial
from statistics import median

import torch
from torch.nn import functional as F

from robustlit.corruptions import BAR, COMMON, EXTRA, corrupt
from robustlit.corruptions.registry import names as existing

SIZE = 224
REFERENCE_WORKER = r"""
import base64, json, sys, time, warnings
warnings.simplefilter("ignore")
import cv2, numpy
cv2.setNumThreads(1)
from imagecorruptions import corrupt
print("ready", flush=True)
side = int(sys.argv[1])
images = numpy.frombuffer(base64.b64decode(sys.stdin.readline()), numpy.uint8).reshape(-1, side, side, 3)

def seconds_an_image(name, severity, least):
    done, start, spent = 0, time.process_time(), 0.0
    while done == 0 or spent < least:
        corrupt(images[done % len(images)], corruption_name=name, severity=severity)
        done, spent = done + 1, time.process_time() - start
    return spent / done

for line in sys.stdin:
    job = json.loads(line)
    numpy.random.seed(job["seed"])
    try:
        answer = {"seconds": seconds_an_image(job["name"], job["severity"], job["least"])}
    except Exception as error:
        answer = {"error": "%s: %s" % (type(error).__name__, error)}
    print("answer " + json.dumps(answer), flush=True)
"""


def main():
    options = parse()
    severities = [int(severity) for severity in options.severities.split(",")]
    wanted = (*COMMON, *EXTRA, *(BAR if options.bar else ()))
    missing = [name for name in wanted if name not in existing()]
    if missing:
        print(f"not there: {', '.join(missing)}")
    names = [name for name in wanted if name in existing() and (not options.only or name in options.only.split(","))]
    if options.device == "cuda":
        on_cuda(names, severities, options)
    else:
        on_cpu(names, severities, options)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference-python", help="interpreter whose imagecorruptions is the reference")
    parser.add_argument("--severities", default="3", help="comma-separated, default 3")
    parser.add_argument("--bar", action="store_true", help="add C-bar (no reference)")
    parser.add_argument("--only", default="", help="comma-separated names, default all")
    parser.add_argument("--batch-size", type=int, help="default 4 on CPU, 256 on CUDA")
    parser.add_argument("--turns", type=int, default=7, help="turns of each kind")
    parser.add_argument("--seconds", type=float, default=0.1, help="least CPU seconds a turn")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    return parser.parse_args()


def test_images(count):
    """Smooth colour fields with a little noise, uint8: no corruption's cost depends much on the picture."""
    generator = torch.Generator().manual_seed(0)
    images = torch.zeros(count, 3, SIZE, SIZE)
    for cells, weight in ((4, 0.5), (16, 0.3), (56, 0.15), (SIZE, 0.05)):
        field = torch.rand(count, 3, cells, cells, generator=generator)
        images += weight * F.interpolate(field, size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    return (images * 255).to(torch.uint8)


# ---- CPU


class Reference:
    """The other interpreter: answers with CPU seconds an image, or None for what it cannot run."""

    def __init__(self, python, images):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [python, "-c", REFERENCE_WORKER, str(SIZE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        if self.process.stdout.readline() != "ready\n":
            raise SystemExit(f"{python} cannot import imagecorruptions; its environment is in this script's docstring")
        pixels = images.permute(0, 2, 3, 1).contiguous().numpy().tobytes()
        self.send(base64.b64encode(pixels).decode())
        self.errors = {}

    def seconds(self, name, severity, seed, least):
        """CPU seconds an image, or None."""
        if name in self.errors:
            return None
        self.send(json.dumps({"name": name, "severity": severity, "seed": seed, "least": least}))
        for line in self.process.stdout:  # the package may print too
            if line.startswith("answer "):
                answer = json.loads(line.removeprefix("answer "))
                if "error" in answer:
                    self.errors[name] = answer["error"]
                return answer.get("seconds")
        raise SystemExit("the reference interpreter ended; its own message is above")

    def send(self, line):
        """Write one line to the other interpreter."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def close(self):
        """Let the other interpreter end."""
        self.process.stdin.close()
        self.process.wait()


def on_cpu(names, severities, options):
    torch.set_num_threads(1)
    torch.zeros(40, 3, SIZE, SIZE)  # freed at once
    images = test_images(options.batch_size or 4)
    reference = open_reference(options.reference_python, images)
    kind = "imagecorruptions" if reference else "no reference"
    print(f"one CPU thread, {SIZE}×{SIZE}, batches of {len(images)}, severities {options.severities}, {kind}")
    print("images a second of CPU time\n")
    print(
        f"{'corruption':32}{'reference':>11}{'ours float':>12}{'ours uint8':>12}{'ratio float':>13}{'ratio uint8':>13}"
    )
    spent = {}
    for name in names:
        spent[name] = measure(name, severities, images, reference, options)
        print(row(name, spent[name]), flush=True)
    total_of_common(spent)
    if reference:
        reference.close()
        for name, error in reference.errors.items():
            print(f"reference cannot run {name}: {error}")


def open_reference(python, images):
    if python is None and importlib.util.find_spec("imagecorruptions") is not None:
        python = sys.executable
    return Reference(python, images) if python else None


def measure(name, severities, images, reference, options):
    """CPU seconds an image: median over the turns, mean over the severities; None where the reference cannot."""
    floats = images.float() / 255
    kinds = {
        "reference": lambda severity, turn: (
            reference.seconds(name, severity, turn, options.seconds) if reference and name not in BAR else None
        ),
        "float": lambda severity, turn: ours(name, severity, turn, floats, options.seconds),
        "uint8": lambda severity, turn: ours(name, severity, turn, images, options.seconds),
    }
    totals = dict.fromkeys(kinds, 0.0)
    for severity in severities:
        corrupt(images, name, severity)  # cached constants are made once
        turns = {kind: [] for kind in kinds}
        for turn in range(options.turns):
            for kind, take in kinds.items():
                turns[kind].append(take(severity, turn))
        for kind, values in turns.items():
            known = totals[kind] is not None and None not in values
            totals[kind] = totals[kind] + median(values) / len(severities) if known else None
    return totals


def ours(name, severity, turn, images, least):
    calls, start, spent = 0, time.process_time(), 0.0
    while calls == 0 or spent < least:
        corrupt(images, name, severity, seed=turn * 1000 + calls)
        calls, spent = calls + 1, time.process_time() - start
    return spent / (calls * len(images))


def row(name, seconds):
    speeds = [f"{1 / seconds[kind]:.1f}" if seconds[kind] else "-" for kind in ("reference", "float", "uint8")]
    base = seconds["reference"]
    ratios = [f"{base / seconds[kind]:.2f}×" if base else "-" for kind in ("float", "uint8")]
    return f"{name:32}{speeds[0]:>11}{speeds[1]:>12}{speeds[2]:>12}{ratios[0]:>13}{ratios[1]:>13}"


def total_of_common(spent):
    there = [name for name in COMMON if name in spent]
    print(f"\n{len(there)} of {len(COMMON)} common corruptions at one severity, CPU seconds an image:", end=" ")
    parts = []
    for kind in ("reference", "float", "uint8"):
        values = [spent[name][kind] for name in there]
        parts.append(f"{kind} {sum(values):.4f}" if None not in values else f"{kind} -")
    print(", ".join(parts))


# ---- CUDA


def on_cuda(names, severities, options):
    images = (test_images(options.batch_size or 256).float() / 255).cuda()
    count, moved = len(images), 2 * images.numel() * images.element_size()
    bandwidth = device_bandwidth()
    forward = resnet50_forward(images)
    print(f"{torch.cuda.get_device_name()}, {count} float32 images {SIZE}×{SIZE}, severities {options.severities}")
    print(f"device copy {bandwidth / 1e9:.0f} GB/s; ResNet-50 bf16 forward {count / forward:.0f} images/s\n")
    print(f"{'corruption':32}{'images/s':>12}{'µs/image':>12}{'GB/s moved':>12}{'bandwidth':>12}")
    spent = {}
    for name in names:
        calls = [partial(corrupt, images, name, severity) for severity in severities]
        spent[name] = sum(cuda_seconds(call, options.turns) for call in calls)
        speed = count * len(severities) / spent[name]
        rate = moved / count * speed
        print(f"{name:32}{speed:12.0f}{1e6 / speed:12.1f}{rate / 1e9:12.1f}{rate / bandwidth:12.1%}")
    cells = [name for name in COMMON if name in spent]
    total, limit = sum(spent[name] for name in cells), forward * len(cells) * len(severities)
    print(f"\n{len(cells) * len(severities)} cells of the common corruptions: {total:.3f} s;", end=" ")
    print(f"as many ResNet-50 bf16 forwards: {limit:.3f} s; ratio {total / limit:.2f}")


def cuda_seconds(call, turns):
    """Median over the turns of a call's time between two events on the stream, after two calls that warm up."""
    for _ in range(2):
        call()
    times = []
    for _ in range(turns):
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        start.record()
        call()
        stop.record()
        stop.synchronize()
        times.append(start.elapsed_time(stop) / 1e3)
    return median(times)


def device_bandwidth():
    """Bytes a second, read and written, of copying 1 GiB on the device."""
    source = torch.empty(1 << 28, device="cuda")
    target = torch.empty_like(source)
    return 2 * source.numel() * source.element_size() / cuda_seconds(lambda: target.copy_(source), 9)


def resnet50_forward(images):
    """Seconds of one bf16 forward of the batch; the weights do not matter for the time."""
    from torchvision.models import resnet50

    model = resnet50(weights=None).eval().cuda().to(torch.bfloat16, memory_format=torch.channels_last)
    batch = images.to(torch.bfloat16, memory_format=torch.channels_last)
    with torch.inference_mode():
        return cuda_seconds(lambda: model(batch), 9)


if __name__ == "__main__":
    main()
