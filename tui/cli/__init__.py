"""The command line: ``gradstep``. A new command is a module of its own and a line in this table."""

import click

from engine import __version__
from engine.experiment.builtins import DEFAULT
from tui.cli.lazy_group import Lazy, LazyGroup

COMMANDS = {
    "run": Lazy("tui.cli.debugger:run", "The debugger on an experiment."),
    "list": Lazy("tui.cli.listing:list_experiments", "The built-in experiments."),
    "new": Lazy("tui.cli.new:new", "Write an experiment file to start from."),
    "show": Lazy("tui.cli.show:show", "The compiled program: ops, shapes, memory."),
    "trace": Lazy("tui.cli.trace:trace", "Run without a screen and print every event."),
    "train": Lazy("tui.cli.train:train", "Run to the end; final loss and accuracy.", answers=True),
    "jacobian": Lazy("tui.cli.jacobian:jacobian", "A Jacobian: sizes, chain, values."),
    "explain": Lazy("tui.cli.explain:explain_command", "One number: the terms that make it."),
    "check": Lazy("tui.cli.check:check", "Gradients against central differences.", answers=True),
    "diagnose": Lazy(
        "tui.cli.diagnose:diagnose", "What is wrong with a training loop.", answers=True
    ),
    "overfit": Lazy("tui.cli.overfit:overfit", "Can the network learn one batch?", answers=True),
    "rates": Lazy("tui.cli.rates:rates", "A learning-rate range test."),
    "worksheet": Lazy("tui.cli.worksheet:worksheet_command", "The homework's four tables."),
    "compare": Lazy("tui.cli.compare:compare_command", "What changes from A to B in them."),
    "grade": Lazy("tui.cli.grade:grade", "Answers checked: right, wrong and why.", answers=True),
    "record": Lazy("tui.cli.record:record", "Run and record without a screen."),
    "capture": Lazy(
        "tui.cli.capture:capture", "Run a PyTorch script and record its training.", answers=True
    ),
    "replay": Lazy("tui.cli.replay:replay", "The debugger on a recording."),
    "lesson": Lazy("tui.cli.lesson:lesson", "A lesson: captions, views, questions."),
    "info": Lazy("tui.cli.info:info", "What a recording holds.", answers=True),
    "verify": Lazy("tui.cli.verify:verify", "Execute a recording again and compare.", answers=True),
    "diff": Lazy(
        "tui.cli.diff:diff", "The first difference of two runs, and a table.", answers=True
    ),
    "export": Lazy("tui.cli.export:export", "A recording for other programs."),
    "config": Lazy("tui.cli.config:config", "A commented settings file."),
    "keys": Lazy("tui.cli.keys:keys", "Every key of the debugger, with your own."),
    "serve": Lazy("tui.cli.serve:serve", "The debugger in a web browser."),
    "script": Lazy(
        "tui.cli.script:script", "Debugger commands from a file; assertions.", answers=True
    ),
}
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(
    "gradstep",
    cls=LazyGroup,
    lazy=COMMANDS,
    invoke_without_command=True,
    context_settings=SETTINGS,
)
@click.version_option(__version__, message="gradstep %(version)s")
@click.pass_context
def gradstep(ctx: click.Context) -> int:
    """Step through the training of a neural network, forwards and backwards.

    Without a command: the debugger on the experiment "regression". With the name of a THING, the
    debugger on it: a built-in experiment, a .toml, a .csv, a .gradstep or a .py.

    Exit status: 0 done, 1 the answer is no, 2 the request cannot be served.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    from tui.cli.debugger import debug

    return debug(DEFAULT, None, None, offer=True)


def main() -> None:
    """The entry point ``gradstep``: parse sys.argv, run, exit with the status."""
    gradstep.main()
