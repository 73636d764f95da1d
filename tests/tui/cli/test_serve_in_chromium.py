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

from tests.tui.cli.served import serving

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
    # Its helpers may still write there for a moment after it has ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder}"],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield asyncio.run(debugging_port(Path(folder, "DevToolsActivePort")))
        finally:
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

    async def evaluated(self, script: str, address: str) -> object:
        """What a script's promise gives on the page of an address, once that page is there.

        A page that is still on its way there takes the script's context with it: it is asked again.
        """
        arrived = f"location.href === '{address}' && document.readyState === 'complete'"
        async with asyncio.timeout(60):
            while not await self.answered(arrived):
                await asyncio.sleep(0.1)
            while (found := await self.answered(script)) is None:
                await asyncio.sleep(0.1)
        return found

    async def answered(self, script: str) -> object:
        """The value of a script; None where the page gives none."""
        found = await self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        return found.get("result", {}).get("value")

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


async def visit(link: str, debugging: int) -> list[str]:
    """Pictures of the start, after an iteration, and after going back."""
    import aiohttp

    async with aiohttp.ClientSession() as web:
        address = f"http://127.0.0.1:{debugging}/json/new?{link}"
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


def test_a_browser_opens_steps_and_goes_back(browser: int) -> None:
    with serving() as link:
        start, stepped, back = asyncio.run(visit(link, browser))
    assert stepped != start
    assert back != stepped


FOREIGN = """
new Promise(done => {{
  const socket = new WebSocket("{address}");
  socket.onopen = () => done("opened");
  socket.onerror = () => done("refused");
}}).then(async first => {{
  const page = await fetch("{link}", {{mode: "no-cors"}}).then(a => a.type, () => "blocked");
  return [first, page].join(" ");
}})
"""


def test_a_page_of_another_origin_gets_nowhere(browser: int, tmp_path: Path) -> None:
    """It knows the link, which a foreign page does not, and still cannot talk to the debugger."""

    async def visit_from_elsewhere(link: str) -> str:
        import aiohttp
        from aiohttp import web as server

        async def blank(_: object) -> object:
            return server.Response(text="<body>", content_type="text/html")

        app = server.Application()
        app.router.add_get("/", blank)
        runner = server.AppRunner(app)
        await runner.setup()
        site = server.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert runner.addresses
        elsewhere = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        script = FOREIGN.format(address=f"ws{link.removeprefix('http')}ws", link=link)
        async with aiohttp.ClientSession() as web:
            target = await (
                await web.put(f"http://127.0.0.1:{browser}/json/new?{elsewhere}")
            ).json()
            async with web.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                found = await Page(socket).evaluated(script, elsewhere)
        await runner.cleanup()
        return str(found)

    with serving() as link:
        assert asyncio.run(visit_from_elsewhere(link)) == "refused blocked"
