"""Open a run's TensorBoard in headless Chromium, check what it serves, and save what it shows.

    .venv/bin/python scripts/tensorboard_pictures.py RUNS OUT [--tags "explain/(probe|flips)"] [--tabs timeseries]

Writes OUT/{timeseries,images,hparams,custom_scalars,projector}.png, or those of --tabs, and prints a table of the
scalars, pictures and hparams that were served.
Needs Chromium on the PATH (Debian's package chromium).
"""

import argparse
import asyncio
import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

import aiohttp  # a dependency of Lightning's

TABS = ("timeseries", "images", "hparams", "custom_scalars", "projector")
COMPARED = "val/(accuracy|iou|predictions|confusion)$|train/(accuracy|loss|images)$"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars --disable-sync "
    "--disable-background-networking --disable-component-update --window-size=1750,1180 --remote-debugging-port=0"
)
CLOSE_SETTINGS = "[...document.querySelectorAll('button')].find(b => b.textContent.includes('Settings'))?.click()"

FULL_SIZE = (
    "[...document.querySelectorAll('button')].filter(b => /actual/i.test(b.getAttribute('aria-label') || b.title))"
    ".forEach(b => b.click())"
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tags", default=COMPARED, help="regular expression of the tags on the time-series page")
    parser.add_argument("--tabs", nargs="+", choices=TABS, default=TABS)
    parser.add_argument("--wait", type=float, default=12, help="seconds that a page has to draw itself")
    parser.add_argument(
        "--full", action="store_true", help="show pictures in their actual size, as a card's button does"
    )
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
        urls = {tab: f"{address}/?smoothing=0&tagFilter={quote(arguments.tags)}#{tab}" for tab in arguments.tabs}
        asyncio.run(photograph(browser, urls, arguments))
    finally:
        server.terminate()
    return 0


def report(address: str) -> None:
    """Print what TensorBoard serves, once it has read the events."""
    scalars: dict = {}
    for _ in range(60):
        try:
            scalars, pictures = served(address, "plugin/scalars/tags"), served(address, "plugin/images/tags")
        except OSError:
            pictures = {}
        if scalars and pictures:
            break
        time.sleep(1)
    for run in scalars:
        print(f"{run}\n  scalars   {', '.join(sorted(scalars[run]))}")
        print(f"  pictures  {', '.join(sorted(pictures.get(run, {})))}")
    for _ in range(5):  # the projector looks for its data in a thread, and is without them at first
        plugins = served(address, "plugins_listing")
        time.sleep(1)
    print(f"plugins with data: {', '.join(sorted(name for name in plugins if plugins[name]['enabled']))}")


def served(address: str, path: str) -> dict:
    with urllib.request.urlopen(f"{address}/data/{path}", timeout=10) as answer:
        return json.load(answer)


async def photograph(browser: str, urls: dict[str, str], options: argparse.Namespace) -> None:
    """Save a picture of each page, in real time: charts draw nothing while a browser's clock is simulated."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [browser, *FLAGS.split(), f"--user-data-dir={profile}", "about:blank"], stderr=subprocess.DEVNULL
        )
        try:
            port = await debugging_port(Path(profile))
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                    pages = [page for page in await answer.json() if page["type"] == "page"]
                async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as page:
                    for name, url in urls.items():
                        await call(page, "Page.navigate", url="about:blank")
                        await call(page, "Page.navigate", url=url)
                        await asyncio.sleep(options.wait)
                        await call(page, "Runtime.evaluate", expression=CLOSE_SETTINGS)
                        if options.full:
                            await call(page, "Runtime.evaluate", expression=FULL_SIZE)
                        await asyncio.sleep(2)
                        picture = await call(page, "Page.captureScreenshot", format="png")
                        (options.out / f"{name}.png").write_bytes(base64.b64decode(picture["data"]))
                        print(f"wrote {options.out / name}.png")
        finally:
            process.terminate()
            process.wait()


async def debugging_port(profile: Path) -> str:
    while not (profile / "DevToolsActivePort").exists():
        await asyncio.sleep(0.2)
    return (profile / "DevToolsActivePort").read_text().split()[0]


async def call(page: aiohttp.ClientWebSocketResponse, method: str, **parameters: str) -> dict:
    await page.send_json({"id": 1, "method": method, "params": parameters})
    while (answer := await page.receive_json()).get("id") != 1:
        pass
    return answer["result"]


if __name__ == "__main__":
    sys.exit(main())
