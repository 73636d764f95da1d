"""``gradstep keys``: the table of keys, as the help screen and docs/keys.md show it."""

import click

from tui.keys.help import help_rows
from tui.keys.keymap import load_commands
from tui.settings.folders import config_file


@click.command("keys")
@click.option("--markdown", is_flag=True, help="As Markdown, for docs/keys.md.")
def keys(markdown: bool) -> None:
    """Every key of the debugger, with the keys of your own settings file."""
    rows = help_rows(load_commands(config_file()))
    click.echo(markdown_text(rows) if markdown else plain_text(rows), nl=False)


def plain_text(groups: list[tuple[str, list[tuple[str, str]]]]) -> str:
    """The groups of keys as aligned text."""
    width = max(len(keys) for _, rows in groups for keys, _ in rows)
    lines = []
    for group, rows in groups:
        lines += [group, *(f"  {keys:<{width}}  {words}" for keys, words in rows), ""]
    return "\n".join(lines)


def markdown_text(groups: list[tuple[str, list[tuple[str, str]]]]) -> str:
    """The groups of keys as Markdown tables, for docs/keys.md."""
    lines = ["# Keys", "", "Made by `gradstep keys --markdown`.", ""]
    for group, rows in groups:
        lines += [f"## {group}", "", "| key | what it does |", "|---|---|"]
        lines += [f"| `{keys}` | {words.replace('|', chr(92) + '|')} |" for keys, words in rows]
        lines.append("")
    return "\n".join(lines)
