"""The web server of ``gradstep serve``: textual-serve's, behind a door.

A page of another site can send requests to a server on this machine, and under a name that it
makes resolve here it even reads the answers. So the path has a random token that only the printed
address knows; Host and Origin must be the server's own; there are few sessions at a time, and an
idle one ends.
"""

import asyncio
import ipaddress
import json
import secrets
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp_jinja2
from aiohttp import WSMsgType, web
from jinja2 import FileSystemLoader
from textual_serve.app_service import AppService
from textual_serve.server import Server

MOST_BYTES = 2**16  # of one message from the browser
TO_END = 10.0  # seconds that a debugger has to close its files
MOST_CELLS = 1000  # columns or rows of a terminal
LOCAL = ("localhost", "127.0.0.1", "::1")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the address has the token in it
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class GuardedServer(Server):
    """A server of one command, on a socket that listens already.

    ``sessions`` is how many there may be at a time, ``idle`` after how many seconds without a key
    or a resize one ends.
    """

    def __init__(
        self, command: str, listening: socket.socket, host: str, sessions: int, idle: float
    ) -> None:
        self.listening, self.sessions, self.idle = listening, sessions, idle
        self.open = 0
        self.token = secrets.token_urlsafe(16)
        super().__init__(command, host=host, port=listening.getsockname()[1], title="gradstep")

    @property
    def address(self) -> str:
        """The address to open, with the token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/{self.token}/"

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[self.guard])
        aiohttp_jinja2.setup(app, loader=FileSystemLoader(self.templates_path))
        app.add_routes(
            [
                web.get(f"/{self.token}/", self.handle_index, name="index"),
                web.get(f"/{self.token}/ws", self.handle_websocket, name="websocket"),
                web.static("/static", self.statics_path, name="static"),
            ]
        )
        return app

    def serve(self, debug: bool = False) -> None:
        """Serve until it is interrupted or terminated."""
        web.run_app(
            self._make_app(),
            sock=self.listening,
            print=lambda *_: None,
            access_log=None,
            shutdown_timeout=1,
        )

    def own(self, host: str) -> bool:
        """Whether a Host, ``name:port``, is this server's: its address, or one of this machine."""
        try:
            parts = urlsplit(f"//{host}")
            name, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            return False
        if (port or 80) != self.port:
            return False
        if name == self.host.lower() or (name in LOCAL and self.reaches_itself):
            return True
        return self.everywhere and (is_address(name) or name == socket.gethostname().lower())

    @property
    def everywhere(self) -> bool:
        """Whether it listens on every address of the machine, whichever they are."""
        return is_address(self.host) and ipaddress.ip_address(self.host).is_unspecified

    @property
    def reaches_itself(self) -> bool:
        """Whether the names of the loopback address are its own."""
        return self.everywhere or self.host in LOCAL

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse another Host or Origin; say that an address without the token is none."""
        origin = request.headers.get("Origin")
        if not self.own(request.host):
            return refused(421, "this server has another name")
        if origin is not None and origin not in (
            f"http://{request.host}",
            f"https://{request.host}",
        ):
            return refused(403, "a page of another site cannot use this debugger")
        try:
            response = await handler(request)
        except web.HTTPNotFound:
            response = refused(404, "open the address that gradstep serve has printed")
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page with the terminal, whose addresses are those under which it was asked for."""
        size = request.query.get("fontsize", "")
        context = {
            "font_size": int(size) if size.isdecimal() and len(size) < 3 else 16,
            "app_websocket_url": f"ws://{request.host}/{self.token}/ws",
            "config": {"static": {"url": f"http://{request.host}/static/"}},
            "application": {"name": self.title},
        }
        return aiohttp_jinja2.render_template("app_index.html", request, context)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One session: a debugger of its own, which ends with the connection or when idle."""
        if self.open >= self.sessions:
            said = f"gradstep: there are {self.sessions} sessions already: close one\n"
            raise web.HTTPServiceUnavailable(text=said)
        self.open += 1
        try:
            return await self.session(request)
        finally:
            self.open -= 1

    async def session(self, request: web.Request) -> web.WebSocketResponse:
        """Start the debugger and hand it what the browser sends, until one of them ends."""
        width, height = (cells(request.query.get(name), 80) for name in ("width", "height"))
        websocket = web.WebSocketResponse(heartbeat=15, max_msg_size=MOST_BYTES)
        await websocket.prepare(request)
        service = AppService(
            self.command,
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=closing(websocket),
            download_manager=self.download_manager,
        )
        await service.start(width, height)
        try:
            await self.converse(websocket, service)
        except TimeoutError:
            await websocket.close(message=b"idle")
        finally:
            await ended(service)
        return websocket

    async def converse(self, websocket: web.WebSocketResponse, service: AppService) -> None:
        """Hand on keys, sizes and focus. Raises TimeoutError where nothing comes for too long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.idle
        while True:
            async with asyncio.timeout_at(until):
                message = await websocket.receive()
            if message.type is not WSMsgType.TEXT:
                return  # closed, too long, or no message of ours
            kind, data = parsed(message.data)
            if kind in ("stdin", "resize"):
                until = loop.time() + self.idle
            match kind:
                case "stdin" if isinstance(data, str):
                    await service.send_bytes(data.encode("utf-8", "replace"))
                case "resize" if isinstance(data, dict):
                    sizes = (cells(data.get(name), 80) for name in ("width", "height"))
                    await service.set_terminal_size(*sizes)
                case "ping" if isinstance(data, str | int | float):
                    await websocket.send_json(["pong", data])
                case "blur":
                    await service.blur()
                case "focus":
                    await service.focus()


async def ended(service: AppService) -> None:
    """End the debugger of a session; one that does not answer is killed, its place is free."""
    try:
        await asyncio.wait_for(service.stop(), TO_END)
    except TimeoutError:
        process = service._process
        if process is not None and process.returncode is None:
            process.kill()


def closing(websocket: web.WebSocketResponse) -> Callable[[], Awaitable[None]]:
    """What ends the connection when the debugger has ended."""

    async def close() -> None:
        await websocket.close()

    return close


def parsed(text: str) -> tuple[str, object]:
    """The kind of a message and what it brings; an empty kind for anything that is none."""
    try:
        envelope = json.loads(text)
    except (ValueError, RecursionError):
        return "", None
    if not isinstance(envelope, list) or not envelope or not isinstance(envelope[0], str):
        return "", None
    return envelope[0], envelope[1] if len(envelope) > 1 else None


def cells(value: object, otherwise: int) -> int:
    """A number of columns or rows, within bounds; ``otherwise`` for what is none."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 6:
        value = int(value)
    return min(max(value, 1), MOST_CELLS) if type(value) is int else otherwise


def refused(status: int, why: str) -> web.Response:
    """An answer that says no, in a line of text."""
    return web.Response(status=status, text=f"gradstep: {why}\n")


def is_address(host: str) -> bool:
    """Whether a host is written as a number, and so no name that somebody can make resolve here."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
