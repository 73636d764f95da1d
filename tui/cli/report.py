"""The report of a recording as Markdown: what was run, its losses, bookmarks and worksheet."""

from engine.errors import GradstepError
from engine.program.program import Program
from engine.recording.environment import DECISIVE, shown
from engine.recording.recorded import Recording
from engine.run.phases import Phase
from engine.run.timeline import completed
from engine.worksheet.markdown import worksheet_markdown
from engine.worksheet.rows import LAYOUTS
from engine.worksheet.worksheet import worksheet
from tui.render.charts.curve import braille_curve
from tui.render.text.clean import clean
from tui.render.text.numbers import compact, count_text

WIDTH, HEIGHT = 72, 12
SAMPLES = 12  # rows of the table of losses
SPECIAL = "\\`*_[]<>|#!~&"


def report(recording: Recording, branch: str) -> str:
    """The report on a branch as Markdown."""
    parts = [
        heading(recording, branch),
        losses(recording, branch),
        edits(recording, branch),
        bookmarks(recording),
        environment(recording),
        tables(recording),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped(text: str) -> str:
    """A text of the file, safe in a terminal and plain text in Markdown."""
    return "".join(f"\\{char}" if char in SPECIAL else char for char in clean(text))


def heading(recording: Recording, branch: str) -> str:
    """The experiment, and how far the branch goes."""
    program, found = recording.program, recording.branches[branch]
    experiment = program.experiment
    iterations = completed(program.timeline, found.events)
    lines = [
        f"# {escaped(experiment.name)}",
        "",
        escaped(experiment.description),
        "",
        f"- branch {escaped(branch)}: {count_text(found.events)} events, "
        f"{count_text(iterations)} iterations",
        f"- {count_text(len(program.data))} rows in batches of {program.batches.size}, "
        f"{experiment.dtype}, seed {experiment.seed}",
        f"- loss {experiment.loss.type}, optimizer {experiment.optimizer.type}",
        f"- store {recording.run.store}, {recording.run.status}",
    ]
    return "\n".join(lines)


def losses(recording: Recording, branch: str) -> str:
    """The curve of the losses, and a table of about SAMPLES of them."""
    values = recording.losses(recording.branches[branch])
    if not values:
        return ""
    curve = "\n".join(line.rstrip() for line in braille_curve(values, WIDTH, HEIGHT))
    step = max(1, (len(values) - 1) // (SAMPLES - 1)) if len(values) > 1 else 1
    rows = sorted({*range(0, len(values), step), len(values) - 1})
    table = [f"| {i + 1} | {compact(values[i], 12)} |" for i in rows]
    head = ["| iteration | loss |", "|---|---|"]
    return "\n".join(["## Loss", "", "```", curve, "```", "", *head, *table])


def edits(recording: Recording, branch: str) -> str:
    """The edits and skips in the journal of the branch."""
    journal = recording.branches[branch].journal
    if not journal:
        return ""
    rows = [f"- #{entry.event}: {escaped(str(entry))}" for entry in journal]
    return "\n".join(["## Edits", "", *rows])


def bookmarks(recording: Recording) -> str:
    """The bookmarks: name, event and text."""
    rows = [
        f"- **{escaped(mark.name)}** (#{mark.event}) {escaped(mark.text)}"
        for mark in recording.marks.bookmarks
    ]
    return "\n".join(["## Bookmarks", "", *rows]) if rows else ""


def environment(recording: Recording) -> str:
    """The recorded environment: what decides the bits of the run."""
    found = recording.run.environment
    rows = [f"- {key}: {escaped(shown(found.get(key)))}" for key in ("gradstep", *DECISIVE)]
    return "\n".join(["## Environment", "", *rows])


def tables(recording: Recording) -> str:
    """The worksheet of the experiment, where it has one; of lines their equations and gradients."""
    if not recording.program.network.nodes:
        return equations(recording.program)
    try:
        return worksheet_markdown(worksheet(recording.program), LAYOUTS).strip()
    except GradstepError as problem:
        return f"## Worksheet\n\n{escaped(str(problem))}"


def equations(program: Program) -> str:
    """The ops of forward, loss and backward as a table of formulas."""
    phases = (Phase.FORWARD, Phase.LOSS, Phase.BACKWARD)
    rows = [
        f"| {op.phase} | {escaped(op.name)} | {escaped(op.formula)} |"
        for op in program.ops
        if op.phase in phases
    ]
    return "\n".join(["## Lines", "", "| step | op | formula |", "|---|---|---|", *rows])
