"""The debugger in a browser: a real server, and what a browser says to it."""

import asyncio
import json
import socket
import sys

import pytest
from click.testing import CliRunner

from tests.tui.cli.shell import PATIENCE, WEB
from tui.cli import gradstep
from tui.cli.serve import loopback


async def converse(port: int) -> tuple[str, str]:
    """What the browser's terminal gets at the start, and after a whole iteration."""
    import aiohttp

    async with aiohttp.ClientSession() as web:
        page = await (await connected(web, port)).text()
        address = f"ws://127.0.0.1:{port}/ws?width=120&height=40"
        async with web.ws_connect(address) as socket_:
            first = await read_until(socket_, "zero_grad")
            await socket_.send_str(json.dumps(["stdin", "f"]))
            second = await read_until(socket_, "2.237")
        return page, first + second


async def connected(web: object, port: int) -> object:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await web.get(f"http://127.0.0.1:{port}/")
            except OSError:
                await asyncio.sleep(0.1)


async def read_until(socket_: object, wanted: str) -> str:
    seen = ""
    async with asyncio.timeout(PATIENCE):
        while wanted not in seen:
            message = await socket_.receive()
            seen += message.data.decode() if isinstance(message.data, bytes) else str(message.data)
    return seen


def test_a_browser_steps_and_sees_the_loss(server: int) -> None:
    page, seen = asyncio.run(converse(server))
    assert 'class="textual-terminal"' in page
    assert "2.237" in seen


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    done = CliRunner().invoke(gradstep, ["serve"])
    assert done.exit_code == 2
    assert "pip install 'gradstep[web]'" in done.stderr


def test_a_port_in_use_is_refused() -> None:
    pytest.importorskip("textual_serve", reason=WEB)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(gradstep, ["serve", "regression", "--port", port])
    assert done.exit_code == 2
    assert f"127.0.0.1:{port}" in done.stderr


def test_a_bad_experiment_is_refused_before_anything_is_served() -> None:
    pytest.importorskip("textual_serve", reason=WEB)
    done = CliRunner().invoke(gradstep, ["serve", "regresion"])
    assert done.exit_code == 2
    assert "regression" in done.stderr


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_only_loopback_needs_no_warning(host: str, own: bool) -> None:
    assert loopback(host) == own
