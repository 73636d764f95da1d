"""Words about the homework's tables: of the network at the cursor, and beside another one's."""

from pathlib import Path

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.program.program import Program
from engine.strict_json import strict_json
from engine.words.command import Argument, Command, Reply

SUFFIXES = (".md", ".tex", ".json")


def run_worksheet(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """The four tables at the cursor as Markdown, or into a file whose name says the format.

    Of a sample by its number, 0 unless another is given, or of the whole ``batch``.
    """
    from engine.worksheet.json import worksheet_json
    from engine.worksheet.latex import worksheet_latex
    from engine.worksheet.markdown import worksheet_markdown
    from engine.worksheet.rows import LAYOUTS
    from engine.worksheet.worksheet import standing, worksheet

    program = program_of(debugger, argument)
    file, sample = parts_of(argument)
    path = Path(file.text)
    if file and path.suffix not in SUFFIXES:
        raise file.error(f"the name ends in {', '.join(SUFFIXES)}: that is the format")
    tensors = standing(program, debugger.session.state.tensors)
    try:
        sheet = worksheet(program, sample, tensors=tensors)
    except GradstepError as problem:
        raise argument.reading(problem) from problem
    if not file:
        lines = worksheet_markdown(sheet, LAYOUTS).rstrip().splitlines()
        return Reply(tuple(lines), {"worksheet": worksheet_json(sheet)}, found=sheet)
    if path.exists():
        raise file.error(f"{path} exists already")
    match path.suffix:
        case ".md":
            text = worksheet_markdown(sheet, LAYOUTS)
        case ".tex":
            text = worksheet_latex(sheet, LAYOUTS)
        case _:
            text = strict_json(worksheet_json(sheet), indent=1)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise file.error(f"cannot be written: {problem.strerror}") from None
    return Reply((f"wrote {path}",), {"file": str(path)})


def parts_of(argument: Argument) -> tuple[Argument, int | None]:
    """The file, which may be missing, and the sample; None for the batch."""
    words = argument.words()
    last = words[-1] if words else argument
    if last.text == "batch":
        return without(argument, last), None
    if last.text.isascii() and last.text.isdigit():
        return without(argument, last), last.number("a sample")
    return argument, 0


def without(argument: Argument, last: Argument) -> Argument:
    """An argument without its last word."""
    return argument.part(0, last.column - argument.column)


def run_versus(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """What changes in the tables from this network to another one's."""
    from engine.experiment.reader import load_experiment
    from engine.program.compiler import compile_program
    from engine.worksheet.comparison import compare
    from engine.worksheet.comparison_json import comparison_json
    from engine.worksheet.markdown import comparison_markdown

    if not argument:
        raise argument.error("an experiment is missing: `versus classification-bce`")
    program = program_of(debugger, argument)
    try:
        found = compare(program, compile_program(load_experiment(argument.text)), 0, "numerator")
    except GradstepError as problem:
        raise argument.reading(problem) from problem
    lines = comparison_markdown(found).rstrip().splitlines()
    return Reply(tuple(lines), {"versus": comparison_json(found)}, found=found)


def program_of(debugger: Debugger, argument: Argument) -> Program:
    """The program that is stepped; a CommandError for a run that has none."""
    if not isinstance(debugger.run, Program):
        raise argument.error("a captured run has no worksheet: its script is no network of layers")
    return debugger.run


WORKING = (
    Command(
        ("worksheet",),
        "[FILE] [SAMPLE|batch]",
        "the homework's four tables here; into FILE.md, FILE.tex or FILE.json",
        run_worksheet,
    ),
    Command(
        ("versus",),
        "EXPERIMENT",
        "what changes in them from this network to another one",
        run_versus,
    ),
)
