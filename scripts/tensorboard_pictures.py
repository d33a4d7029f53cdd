"""Open a run's TensorBoard in headless Chromium, check what it serves, and save what it shows.

    .venv/bin/python scripts/tensorboard_pictures.py RUNS OUT

Writes OUT/{timeseries,images,hparams}.png and prints a table of the scalars, pictures and hparams that were served.
Needs Chromium on the PATH (Debian's package chromium).
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

TABS = ("timeseries", "images", "hparams", "custom_scalars")
COMPARED = "val/(accuracy|iou|predictions|confusion)$|train/(accuracy|images)$|cost/images_per_second"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars --disable-sync "
    "--disable-background-networking --disable-component-update --virtual-time-budget=30000 --window-size=1900,1180"
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--port", type=int, default=6061)
    arguments = parser.parse_args()
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        print("expected Chromium on the PATH, got none; try apt-get install chromium", file=sys.stderr)
        return 2
    arguments.out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "robustlit", "tensorboard", str(arguments.runs), "--port", str(arguments.port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{arguments.port}"
    try:
        report(address)
        for tab in TABS:
            photograph(browser, f"{address}/?tagFilter={quote(COMPARED)}#{tab}", arguments.out / f"{tab}.png")
    finally:
        server.terminate()
    return 0


def served(address: str, path: str) -> dict:
    with urllib.request.urlopen(f"{address}/data/{path}", timeout=10) as answer:
        return json.load(answer)


def report(address: str) -> None:
    """Print what TensorBoard serves, once it has read the events."""
    for _ in range(60):
        try:
            scalars, pictures = served(address, "plugin/scalars/tags"), served(address, "plugin/images/tags")
        except OSError:
            scalars = {}
        if scalars and pictures:
            break
        time.sleep(1)
    for run in scalars:
        print(f"{run}\n  scalars   {', '.join(sorted(scalars[run]))}")
        print(f"  pictures  {', '.join(sorted(pictures.get(run, {})))}")
    print(f"plugins with data: {', '.join(name for name, plugin in plugins(address) if plugin['enabled'])}")


def plugins(address: str) -> list:
    return sorted(served(address, "plugins_listing").items())


def photograph(browser: str, url: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as profile:
        flags = [*FLAGS.split(), f"--user-data-dir={profile}", f"--screenshot={target}"]
        subprocess.run([browser, *flags, url], check=True, timeout=180, capture_output=True)
    print(f"wrote {target}")


if __name__ == "__main__":
    sys.exit(main())
