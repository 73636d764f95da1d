"""The debugger in a real browser: headless Chromium opens it, presses a key and sees the loss."""

import asyncio
import itertools
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tui.cli.test_serve_command import connected

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=1400,900",
    "about:blank",
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture
def browser() -> Iterator[int]:
    """The debugging port of a browser of its own."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder}"],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        yield asyncio.run(debugging_port(Path(folder, "DevToolsActivePort")))
        process.terminate()
        process.wait(timeout=20)


async def debugging_port(file: Path) -> int:
    async with asyncio.timeout(60):
        while not file.exists() or not file.read_text().strip():
            await asyncio.sleep(0.1)
    return int(file.read_text().split()[0])


class Page:
    """A page of the browser, over the DevTools protocol."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.numbers = itertools.count(1)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self.numbers)
        await self.socket.send_json({"id": number, "method": method, "params": params})
        while True:
            answer = json.loads((await self.socket.receive()).data)
            if answer.get("id") == number:
                return dict(answer.get("result", {}))

    async def press(self, key: str) -> None:
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def click(self, x: int, y: int) -> None:
        """A click gives the terminal of the page the keyboard."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    async def picture(self) -> str:
        return str((await self.call("Page.captureScreenshot", format="png"))["data"])

    async def settled(self) -> str:
        """A picture once two in a row are the same."""
        last = ""
        async with asyncio.timeout(60):
            while (now := await self.picture()) != last:
                last = now
                await asyncio.sleep(0.7)
        return last


async def visit(port: int, debugging: int) -> list[str]:
    """Pictures of the start, after an iteration, and after going back."""
    import aiohttp

    async with aiohttp.ClientSession() as web:
        await connected(web, port)
        address = f"http://127.0.0.1:{debugging}/json/new?http://127.0.0.1:{port}/"
        target = await (await web.put(address)).json()
        async with web.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            page = Page(socket)
            await asyncio.sleep(4)  # the page loads, and starts the debugger
            await page.click(700, 8)
            pictures = [await page.settled()]
            for key in ("f", "F"):
                await page.press(key)
                await asyncio.sleep(1)
                pictures.append(await page.settled())
            return pictures


def test_a_browser_opens_steps_and_goes_back(server: int, browser: int) -> None:
    start, stepped, back = asyncio.run(visit(server, browser))
    assert stepped != start
    assert back != stepped
