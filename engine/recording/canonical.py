"""Experiments, data labels and journals as canonical JSON texts, and back through every check."""

import json
import math
from typing import Any

import msgspec

from engine.errors import GradstepError
from engine.experiment.dataset import GIVEN, Dataset
from engine.experiment.reader import read_experiment
from engine.experiment.spec import Experiment, WrittenSpec, layer_table, optimizer_table
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.session.journal import Journal, from_dict, to_dict
from engine.wording import shown

NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
# Tables whose order means something, which canonical JSON sorts: parameters are drawn in it.
ORDERED = ("parameters", "constants")
MAX_TEXT = 2**25  # characters of one text that is read back


def experiment_text(experiment: Experiment) -> str:
    """The experiment as JSON: what is written in its file, without where the file was."""
    raw = experiment_table(experiment)
    for table in ORDERED:
        if table in raw:
            raw[table] = list(raw[table].items())
    return canonical(raw)


def experiment_table(experiment: Experiment) -> dict[str, Any]:
    """The experiment as the table that its file is, without where the file was."""
    raw: dict[str, Any] = msgspec.to_builtins(experiment)
    for place in ("file", "directory"):
        raw.pop(place, None)
    # A class variable is no field to msgspec; a schedule has its type as a tag.
    if experiment.layers:
        raw["layers"] = [layer_table(spec) for spec in experiment.layers]
    raw["loss"] = {"type": experiment.loss.type} | msgspec.to_builtins(experiment.loss)
    raw["optimizer"] = optimizer_table(experiment.optimizer)
    if experiment.loss.type == WrittenSpec.type:
        del raw["loss"]["type"]  # it has no name in a file: a line makes it
    return raw


def self_contained(program: Program) -> Experiment:
    """The experiment of a program with the values of parameters that are in files written down."""
    network, experiment = program.network, program.experiment
    if not isinstance(network, LineNetwork):
        return experiment
    values = {one.name: one.value for one in network.parameters_}
    specs = {
        name: msgspec.structs.replace(spec, file=None, shape=None, value=values[name].tolist())
        if spec.file is not None
        else spec
        for name, spec in experiment.parameters.items()
    }
    return msgspec.structs.replace(experiment, parameters=specs)


def canonical(value: Any) -> str:
    """One text for one value: sorted keys, no spaces, NaN and infinities as strings.

    Digests are made of it, so that the order of a dictionary must not matter.
    """
    return json.dumps(
        words(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def words(value: Any) -> Any:
    """The value with the strings NaN, Infinity and -Infinity for the floats that JSON lacks."""
    match value:
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        case dict():
            return {key: words(item) for key, item in value.items()}
        case list() | tuple():
            return [words(item) for item in value]
        case _:
            return value


def numbers(value: Any) -> Any:
    """Nested lists with the named floats as floats again."""
    if isinstance(value, list):
        return [numbers(item) for item in value]
    return NUMBERS.get(value, value) if isinstance(value, str) else value


def parse(text: str, what: str) -> Any:
    """The value of a JSON text of at most MAX_TEXT characters; GradstepError for any other."""
    if len(text) > MAX_TEXT:
        raise GradstepError(f"{what}: {len(text):,} characters, more than {MAX_TEXT:,}")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError) as problem:
        raise GradstepError(f"{what}: not valid JSON: {problem}") from None


def parse_experiment(text: str) -> Experiment:
    """The experiment of a recording, checked like any file; GradstepError for what is wrong."""
    raw = parse(text, "its experiment")
    if not isinstance(raw, dict):
        raise GradstepError("its experiment: not a table")
    data = raw.get("data")
    if isinstance(data, dict):
        for name in ("x", "y"):
            if name in data:
                data[name] = numbers(data[name])
    for table in ORDERED:
        if table in raw:
            raw[table] = table_of(raw[table], table)
    return read_experiment(raw, file="its experiment", stem="recording")


def table_of(pairs: Any, name: str) -> dict[str, Any]:
    """The table behind pairs of a name and a value; GradstepError for anything else."""
    if not isinstance(pairs, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs
    ):
        raise GradstepError(f"its experiment: {name} is no list of names and values")
    return dict(pairs)


def labels_text(data: Dataset) -> str:
    """The names of classes and inputs as canonical JSON, and what is given where not x and y."""
    given = {} if data.given == GIVEN else {"given": list(data.given)}
    return canonical({"classes": list(data.classes), "inputs": list(data.inputs)} | given)


def parse_labels(text: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The names of classes, those of inputs, and what of x and y is given, behind a text.

    GradstepError where it has none.
    """
    raw = parse(text, "its labels")
    lists = [raw.get(k) for k in ("classes", "inputs")] if isinstance(raw, dict) else [None, None]
    if not all(isinstance(v, list) and all(isinstance(s, str) for s in v) for v in lists):
        raise GradstepError("its labels: not two lists of names")
    classes, inputs = (tuple(names) for names in lists if names is not None)
    given = raw.get("given", list(GIVEN))
    if given not in ([], ["x"], ["y"], list(GIVEN)):
        raise GradstepError(f"its labels: given {shown(str(given))}, which is not of x and y")
    return classes, inputs, tuple(given)


def journal_texts(journal: Journal) -> list[str]:
    """Each entry of a journal as canonical JSON, in their order."""
    return [canonical(to_dict(entry)) for entry in journal]


def parse_journal(texts: list[str]) -> Journal:
    """The journal behind those texts; GradstepError for one that is no entry."""
    entries = []
    for text in texts:
        raw = parse(text, "its journal")
        if not isinstance(raw, dict):
            raise GradstepError("its journal: an entry is not a table")
        if not isinstance(raw.get("value"), str):
            raw["value"] = numbers(raw.get("value"))
        elif raw["value"] in NUMBERS:
            raw["value"] = NUMBERS[raw["value"]]
        entries.append(from_dict(raw))
    return Journal(tuple(entries))
