"""Commands that change the run: edits and skips, which make branches."""

import json
import re

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.session.edits import parse_index
from engine.session.journal import Entered, Index, to_dict
from engine.words.command import Argument, Command, Reply
from engine.words.report import arrived
from engine.words.stepping import times

# One = is an edit; == is a comparison.
FORM = re.compile(r"(?P<left>[^=]+?)\s*=(?!=)\s*(?P<value>.*)")
ELEMENT = re.compile(r"(?P<name>.+?)\s*\[(?P<index>[^\[\]]*)\]")


def run_set(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Set a tensor, an element or a hyper-parameter."""
    match = FORM.fullmatch(argument.text)
    if match is None or not match["value"]:
        raise argument.error(
            "set TENSOR = VALUE: `set optimizer.lr = 0.01`, `set linear1.weight[0,0] = 0.5`"
        )
    value = argument.part(match.start("value"))
    blamed = argument  # the part that an error points at: the index while it is read
    name, place = match["left"], None
    if debugger.run.resolve(name) not in debugger.run.tensors:  # the longest name wins: h[2]
        place = ELEMENT.fullmatch(name)
    try:
        index: Index = ()
        if place is not None:
            name, blamed = place["name"], argument.part(place.start("index"), place.end("index"))
            index = parse_index(place["index"])
            blamed = argument
        entry = debugger.session.set(name, entered(value), index)
    except GradstepError as problem:
        raise blamed.reading(problem) from problem
    return arrived(debugger, told(debugger, str(entry)), edit=to_dict(entry))


def entered(value: Argument) -> Entered:
    """A number, a nested list, or else an expression; a CommandError for a list that is none."""
    if value.text.startswith("["):
        try:
            found: Entered = json.loads(value.text)
        except (ValueError, RecursionError) as problem:
            at = getattr(problem, "pos", 0)
            raise value.error("a list is written [[1, 2], [3, 4]]", at) from problem
        return found
    try:
        return float(value.text)
    except ValueError:
        return value.text


def run_skip(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Leave out phases or ops in this iteration, or from here on."""
    words = argument.words()
    always = bool(words) and words[-1].text == "always"
    targets = words[:-1] if always else words
    if not targets:
        raise argument.error("skip PHASE… [always]: `skip zero_grad`, `skip zero_grad always`")
    try:
        entries = debugger.session.skip(*(word.text for word in targets), always=always)
    except GradstepError as problem:
        raise argument.reading(problem) from problem
    lines = [told(debugger, str(entry)) for entry in entries]
    return arrived(debugger, *lines, edits=[to_dict(entry) for entry in entries])


def run_unskip(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Let what was skipped run again from here on."""
    try:
        debugger.session.unskip(argument.text)
    except GradstepError as problem:
        raise argument.reading(problem) from problem
    return arrived(debugger, told(debugger, f"{argument} runs again"))


def told(debugger: Debugger, what: str) -> str:
    """An edit as a line, with the branch it is in, and where that has just been started from."""
    branch = debugger.session.branch
    new = branch.parent is not None and branch.fork == branch.known
    started = f" (started from {branch.parent}, which stays as it is)" if new else ""
    return f"{what}, in branch {branch.name}{started}"


def run_undo(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Take back the last edit, skip or branch, as often as the count says."""
    often = max(1, times(argument, count))
    taken: list[str] = []
    while len(taken) < often and (debugger.session.undo.changes or not taken):
        try:
            taken.append(debugger.session.undo.take_back().what)
        except GradstepError as problem:
            raise argument.reading(problem) from problem
    lines = [f"taken back: {what}" for what in taken]
    return arrived(debugger, *lines, undone=taken)


EDITING = (
    Command(
        ("set",),
        "TENSOR[INDEX] = VALUE",
        "set a tensor, element or hyper-parameter: `set optimizer.lr = 0.01`",
        run_set,
        "assignment",
    ),
    Command(
        ("skip",),
        "PHASE… [always]",
        "leave a phase, or an op as update:linear1.weight, out of this iteration or from here on",
        run_skip,
        "phase",
    ),
    Command(("unskip",), "PHASE", "let it run again from here on", run_unskip, "phase"),
    Command(
        ("undo",),
        "[COUNT]",
        "take back the last edit, skip, or change of branch",
        run_undo,
        counted=True,
    ),
)
