"""The debugger in a browser: a real server, what a browser says to it, and who is not let in."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

import tui
from tests.tui.cli.served import serving
from tests.tui.cli.shell import PATIENCE, WEB
from tui.cli import gradstep
from tui.cli.serve import loopback


@pytest.fixture(scope="module")
def link() -> Iterator[str]:
    with serving() as found:
        yield found


def run(talk: Callable[[Any], Any]) -> Any:
    """A conversation over HTTP, within PATIENCE."""

    async def talking() -> Any:
        import aiohttp

        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as web:
            return await talk(web)

    return asyncio.run(talking())


def status(link: str, **headers: str) -> int:
    async def talk(web: Any) -> int:
        async with web.get(link, headers=headers) as answer:
            return int(answer.status)

    return int(run(talk))


def socket_of(link: str) -> str:
    # wide enough for a sentence about a file in a deep folder
    return f"ws{link.removeprefix('http')}ws?width=300&height=40"


@asynccontextmanager
async def connected(
    web: Any, link: str, headers: dict[str, str] | None = None
) -> AsyncIterator[Any]:
    """A debugger at the other end, once a place is free: those of tests before it may still end."""
    import aiohttp

    while True:
        try:
            socket_ = await web.ws_connect(socket_of(link), headers=headers)
            break
        except aiohttp.WSServerHandshakeError as error:
            if error.status != 503:
                raise
            await asyncio.sleep(0.05)
    async with socket_:
        yield socket_


async def read_until(socket_: Any, *wanted: str) -> str:
    """What the terminal gets until one of the texts is in it, or the connection ends."""
    seen = ""
    while not any(text in seen for text in wanted):
        message = await socket_.receive()
        if message.type.name not in ("TEXT", "BINARY"):
            return f"{seen}<{message.type.name.lower()}>"
        seen += message.data.decode() if isinstance(message.data, bytes) else str(message.data)
    return seen


async def type_keys(socket_: Any, keys: str) -> None:
    await socket_.send_str(json.dumps(["stdin", keys]))


def test_a_browser_steps_and_sees_the_loss(link: str) -> None:
    async def talk(web: Any) -> tuple[str, str]:
        page = await (await web.get(link)).text()
        async with connected(web, link) as socket_:
            first = await read_until(socket_, "zero_grad")
            await type_keys(socket_, "f")
            return page, first + await read_until(socket_, "2.237")

    page, seen = run(talk)
    assert 'class="textual-terminal"' in page
    assert f"ws://{urlsplit(link).netloc}{urlsplit(link).path}ws" in page
    assert "2.237" in seen


def test_the_page_can_be_framed_by_nobody_and_leaks_no_address(link: str) -> None:
    async def talk(web: Any) -> dict[str, str]:
        async with web.get(link) as answer:
            return dict(answer.headers)

    found = run(talk)
    assert "frame-ancestors 'none'" in found["Content-Security-Policy"]
    assert found["Referrer-Policy"] == "no-referrer"
    assert found["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in found


def test_who_does_not_know_the_link_is_not_let_in(link: str) -> None:
    base = f"http://{urlsplit(link).netloc}"
    assert status(link) == 200
    for path in ("/", "/ws", "/0123456789012345678901/", "/static/", "/download/x"):
        assert status(base + path) in (403, 404), path
    # as every client would shorten it, and as none does
    assert status(f"{base}/static/%2e%2e/server.py") in (403, 404)


def test_tokens_differ(link: str) -> None:
    with serving() as other:
        mine, its = (urlsplit(each).path.strip("/") for each in (link, other))
    assert mine != its
    assert len(mine) >= 20


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Host": "foreign.example:{port}"}, 421),
        ({"Host": "foreign.example"}, 421),
        ({"Host": "127.0.0.1.foreign.example:{port}"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Host": "127.0.0.1:{port}@foreign.example"}, 421),
        ({"Origin": "http://foreign.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
        ({"Host": "localhost:{port}"}, 200),
        ({"Host": "localhost:{port}", "Origin": "http://localhost:{port}"}, 200),
    ],
    ids=str,
)
def test_a_foreign_page_is_refused_even_with_the_link(
    link: str, headers: dict[str, str], expected: int
) -> None:
    port = urlsplit(link).port
    sent = {name: value.format(port=port) for name, value in headers.items()}
    assert status(link, **sent) == expected

    async def talk(web: Any) -> int:
        import aiohttp

        try:
            async with connected(web, link, sent):
                return 200
        except aiohttp.WSServerHandshakeError as error:
            return int(error.status)

    assert run(talk) == expected


def test_sessions_are_counted() -> None:
    async def talk(web: Any) -> tuple[int, bool]:
        import aiohttp

        async with connected(web, link) as first:
            await read_until(first, "zero_grad")
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await web.ws_connect(socket_of(link))
        async with connected(web, link) as second:  # the place is free once the first has ended
            seen = await read_until(second, "zero_grad")
        return refused.value.status, "zero_grad" in seen

    with serving("--sessions", "1") as link:
        assert run(talk) == (503, True)


def test_an_idle_session_ends() -> None:
    async def talk(web: Any) -> str:
        async with connected(web, link) as socket_:
            return await read_until(socket_, "never written")

    with serving("--idle", "0.1") as link:
        assert run(talk).endswith(("<close>", "<closed>", "<closing>"))


@pytest.mark.parametrize(
    "sent", ["no JSON", "[]", "{}", "[1]", '["resize", {"width": "x"}]', '["stdin", 1]', "[" * 9000]
)
def test_what_is_no_message_is_passed_over(link: str, sent: str) -> None:
    async def talk(web: Any) -> str:
        async with connected(web, link) as socket_:
            await read_until(socket_, "zero_grad")
            await socket_.send_str(sent)
            await type_keys(socket_, "f")
            return await read_until(socket_, "2.237")

    assert "2.237" in run(talk)


def test_a_long_message_ends_the_session(link: str) -> None:
    async def talk(web: Any) -> str:
        async with connected(web, link) as socket_:
            await read_until(socket_, "zero_grad")
            await type_keys(socket_, "s" * 2**17)
            return await read_until(socket_, "never written")

    assert run(talk).endswith(("<close>", "<closed>", "<closing>", "<error>"))


def record(link: str, path: Path) -> str:
    """What the screen says when a recording into this file is asked for."""

    async def talk(web: Any) -> str:
        async with connected(web, link) as socket_:
            await read_until(socket_, "zero_grad")
            await type_keys(socket_, "R")
            await read_until(socket_, ".gradstep")
            await type_keys(socket_, f"\x15{path}\r")
            return await read_until(socket_, "written from", "recording into")

    return str(run(talk))


def test_nothing_is_written_unless_it_is_allowed(link: str, tmp_path: Path) -> None:
    assert "no files are written from the browser" in record(link, tmp_path / "run.gradstep")
    assert list(tmp_path.iterdir()) == []


def test_files_are_written_in_one_folder_only(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "way-out").symlink_to(outside)
    with serving("--allow-write", str(inside)) as link:
        for refused in (outside / "a.gradstep", inside / "way-out" / "a.gradstep"):
            assert "only below" in record(link, refused)
        assert "recording into" in record(link, inside / "b.gradstep")
    assert [each.name for each in inside.iterdir() if each.suffix == ".gradstep"] == ["b.gradstep"]
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("way", [["-m", "tui", "--version"], ["-P", "-m", "tui", "--version"]])
def test_nothing_is_imported_from_where_one_stands(tmp_path: Path, way: list[str]) -> None:
    for name in ("numpy", "textual", "click", "msgspec", "engine", "json", "asyncio"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from where one stands')")
    done = subprocess.run(
        [sys.executable, *way],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(tui.__file__).parents[1])},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_served_does_not_look_where_one_stands(tmp_path: Path) -> None:
    (tmp_path / "textual.py").write_text("raise SystemExit('imported from where one stands')")

    async def talk(web: Any) -> str:
        async with connected(web, link) as socket_:
            return await read_until(socket_, "zero_grad", "where one stands")

    with serving(cwd=tmp_path) as link:
        assert "zero_grad" in run(talk)


@pytest.mark.parametrize("host", ["127.1", "::1", "localhost"])
def test_the_printed_link_is_the_one_that_a_browser_asks_for(host: str) -> None:
    with serving("--host", host) as link:
        assert status(link) == 200


def test_a_debugger_that_does_not_answer_leaves_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    web = pytest.importorskip("tui.cli.web", reason=WEB)
    killed = []

    class Process:
        returncode = None

        def kill(self) -> None:
            killed.append(self)

    class Service:
        _process = Process()

        async def stop(self) -> None:
            await asyncio.Event().wait()  # for ever

    monkeypatch.setattr(web, "TO_END", 0.01)
    asyncio.run(web.ended(Service()))
    assert killed == [Service._process]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    monkeypatch.delitem(sys.modules, "tui.cli.web", raising=False)
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
