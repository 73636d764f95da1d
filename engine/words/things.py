"""Whatever can be opened: a built-in, an experiment file, a table, a recording, a script."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from engine.capture.opened import open_capture
from engine.capture.recognized import is_capture
from engine.debugger import Debugger
from engine.errors import ExperimentError, GradstepError
from engine.experiment.builtins import builtin_names
from engine.experiment.data_files import check_size
from engine.experiment.data_problem import DataProblem
from engine.experiment.data_table import CSVTable
from engine.experiment.data_text import MAX_CSV_BYTES
from engine.experiment.fitted import fitted_text
from engine.experiment.reader import load_experiment, read_experiment
from engine.files import is_database, naming, no_file
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.recording.replay import open_recording
from engine.session.history import DEFAULT_BUDGET
from engine.session.session import Session
from engine.toml_text import read_toml
from engine.wording import listed, nearest

TABLES = (".csv", ".tsv", ".tab")
NEEDS_CAPTURE = (
    "a PyTorch script is run and recorded before it is opened: `gradstep capture` makes the file, "
    "and `gradstep` with the script does both"
)


class Kind(StrEnum):
    """What a thing is, in the word that people are told."""

    BUILTIN = "built-in"
    EXPERIMENT = "experiment"
    TABLE = "table"
    RECORDING = "recording"
    SCRIPT = "script"


class NeedsTargets(GradstepError):
    """A table is opened without saying which of its ``columns`` are to be predicted."""

    def __init__(self, file: str, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        super().__init__(
            f"{file}: which columns are to be predicted? its columns: {listed(list(columns))}"
        )


def kind_of(thing: str) -> Kind:
    """What a thing is, by its name, and where that says nothing by its first bytes.

    Raises GradstepError for a name of nothing that can be opened.
    """
    path = Path(thing)
    if thing in builtin_names():
        return Kind.BUILTIN
    suffix = path.suffix.lower()
    if suffix == ".toml":
        return Kind.EXPERIMENT
    with naming(path):
        there = path.exists()
        if there and not (said := no_file(path)):
            if is_database(path):
                return Kind.RECORDING
        elif there:
            raise GradstepError(f"{thing}: {said}")
    kinds = {".gradstep": Kind.RECORDING, ".py": Kind.SCRIPT} | dict.fromkeys(TABLES, Kind.TABLE)
    if suffix in kinds:
        if not there:
            raise GradstepError(f"{thing}: No such file or directory")
        return kinds[suffix]
    what = "a built-in, a .toml, a .csv, a .gradstep or a .py can be opened"
    if there:
        raise GradstepError(f"{thing}: {what}, and this is none of them")
    raise GradstepError(f"{thing}: no such thing: {what}; {nearest(thing, builtin_names())}")


def open_thing(thing: str, targets: Sequence[str] = (), budget: int = DEFAULT_BUDGET) -> Debugger:
    """A debugger on a thing, at its first event.

    ``targets`` are the columns that the network for a table shall predict, ``budget`` the bytes of
    the history. Raises NeedsTargets for a table without them, GradstepError for what cannot be
    opened.
    """
    kind = kind_of(thing)
    if targets and kind is not Kind.TABLE:
        raise GradstepError(f"{thing}: {kind}: only a table has columns to predict")
    match kind:
        case Kind.RECORDING if is_capture(thing):
            return open_capture(thing, budget)
        case Kind.RECORDING:
            return open_recording(thing, budget=budget)
        case Kind.SCRIPT:
            raise GradstepError(f"{thing}: {NEEDS_CAPTURE}")
        case Kind.TABLE:
            program = fitted(thing, targets)
        case _:
            program = compile_program(load_experiment(thing))
    return Debugger(Session(program, budget))


def fitted(thing: str, targets: Sequence[str]) -> Program:
    """The program of a small network for a table, as ``gradstep new --csv`` writes it."""
    data = Path(thing)
    if not targets:
        raise NeedsTargets(thing, columns_of(data))
    file = data.with_suffix(".toml")  # it is not written: the place that its paths are relative to
    raw = read_toml(fitted_text(file, data, targets))
    return compile_program(read_experiment(raw, thing, data.stem, str(data.parent)))


def columns_of(data: Path) -> tuple[str, ...]:
    """The columns of a table; ExperimentError where it cannot be read."""
    try:
        check_size(data, "csv", MAX_CSV_BYTES)
        table = CSVTable(data)
        return tuple((CSVTable(data, has_header=False) if table.looks_headless() else table).header)
    except DataProblem as error:
        raise ExperimentError(str(data), error.problems) from None
