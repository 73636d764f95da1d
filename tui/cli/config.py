"""``gradstep config``: write a commented settings file, or show where it is."""

import os

import click

from engine.files import create, naming
from tui.cli.output import note
from tui.settings.folders import config_file
from tui.settings.settings import load_settings, settings_text


@click.command("config")
@click.option("--path", "show_path", is_flag=True, help="Only print where the file is.")
@click.option("--print", "to_stdout", is_flag=True, help="Print the commented file instead.")
def config(show_path: bool, to_stdout: bool) -> None:
    """Write a settings file with every setting as a comment; an existing one is checked."""
    path = config_file()
    if show_path:
        click.echo(path)
    elif to_stdout:
        click.echo(settings_text(), nl=False)
    elif os.path.lexists(path):
        load_settings(path)
        note(f"{path}: is there already, and in order")
    else:
        with naming(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        create(path, settings_text().encode())
        click.echo(path)
