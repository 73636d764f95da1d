"""``gradstep serve``: the debugger in a web browser, on the loopback address by default."""

import ipaddress
import shlex
import socket
import sys

import click

from engine.errors import GradstepError
from engine.experiment.builtins import DEFAULT
from tui.cli.output import note

LOOPBACK = "127.0.0.1"


@click.command("serve")
@click.argument("experiment", default=DEFAULT)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option(
    "--host",
    default=LOOPBACK,
    show_default=True,
    metavar="ADDRESS",
    help="Another address lets others in: there is no password.",
)
def serve(experiment: str, port: int, host: str) -> None:
    """The debugger on EXPERIMENT in a web browser; Ctrl-C ends it. Needs the extra "web"."""
    try:
        from textual_serve.server import Server
    except ModuleNotFoundError:
        raise GradstepError(
            "serve needs the extra packages of the web: pip install 'gradstep[web]'"
        ) from None
    check_experiment(experiment)
    check_address(host, port)
    if not loopback(host):
        note(f"warning: anyone who reaches {host} can use this debugger: there is no password")
    command = shlex.join([sys.executable, "-m", "tui", "run", experiment])
    note(f"serving {experiment} on http://{host}:{port} · Ctrl-C ends it")
    Server(command, host=host, port=port, title="gradstep").serve()


def check_experiment(experiment: str) -> None:
    """Raise ExperimentError for an experiment that the browser could only show an error for."""
    from engine.experiment.reader import load_experiment
    from engine.program.compiler import compile_program

    compile_program(load_experiment(experiment))


def check_address(host: str, port: int) -> None:
    """Raise GradstepError for an address that cannot be served on."""
    try:
        with socket.create_server((host, port)):
            pass
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
