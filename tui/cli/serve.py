"""``gradstep serve``: the debugger in a web browser, on the loopback address by default."""

import ipaddress
import os
import shlex
import socket
import sys

import click

from engine.errors import GradstepError
from engine.experiment.builtins import DEFAULT
from tui.cli.output import note
from tui.settings.writable import WRITABLE

LOOPBACK = "127.0.0.1"


@click.command("serve")
@click.argument("experiment", default=DEFAULT)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0 takes a free one.",
)
@click.option(
    "--host",
    default=LOOPBACK,
    show_default=True,
    metavar="ADDRESS",
    help="Another address lets in whoever knows the printed link.",
)
@click.option(
    "--sessions",
    type=click.IntRange(1, 100),
    default=4,
    show_default=True,
    help="How many browsers at a time.",
)
@click.option(
    "--idle",
    type=click.FloatRange(0.1, 1440),
    default=30,
    show_default=True,
    metavar="MINUTES",
    help="A session without a key for so long ends.",
)
@click.option(
    "--allow-write",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Where browsers may write files; without it nowhere.",
)
def serve(
    experiment: str, port: int, host: str, sessions: int, idle: float, allow_write: str | None
) -> None:
    """The debugger on EXPERIMENT in a web browser; Ctrl-C ends it. Needs the extra "web".

    The printed link has a random token in it: who does not know it is not let in. Files are written
    only below --allow-write.
    """
    try:
        from tui.cli.web import GuardedServer
    except ModuleNotFoundError:
        raise GradstepError(
            "serve needs the extra packages of the web: pip install 'gradstep[web]'"
        ) from None
    check_experiment(experiment)
    listening = listen(host, port)
    if host != "localhost":
        host = listening.getsockname()[0]  # as a browser writes it: 127.1 is 127.0.0.1
    if not loopback(host):
        note(f"warning: whoever can reach {host} and knows this link can use this debugger")
    # -P: nothing is imported from the folder one happens to stand in
    # exec: what is killed is the debugger, and not a shell around it
    command = "exec " + shlex.join([sys.executable, "-P", "-m", "tui", "run", experiment])
    os.environ[WRITABLE] = os.path.realpath(allow_write) if allow_write else ""
    server = GuardedServer(command, listening, host, sessions, idle * 60)
    note(f"serving {experiment} on {server.address} · Ctrl-C ends it")
    server.serve()


def check_experiment(experiment: str) -> None:
    """Raise ExperimentError for an experiment that the browser could only show an error for."""
    from engine.experiment.reader import load_experiment
    from engine.program.compiler import compile_program

    compile_program(load_experiment(experiment))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; a GradstepError for an address that cannot be served on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise GradstepError(
            f"{host}:{port}: {error.strerror or error}; choose another --port or --host"
        ) from None


def loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
