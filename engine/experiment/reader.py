"""Experiment files into structs: every findable problem of a file at once, each with its path."""

import keyword
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np

from engine.errors import ExperimentError, GradstepError, Problem
from engine.experiment.data_fields import columns_elsewhere, data_problems
from engine.experiment.data_inline import Walk, floats
from engine.experiment.field_rules import (
    clip_problems,
    linear_problems,
    nesterov_problems,
    steps_problems,
)
from engine.experiment.layer_fields import (
    layer_names,
    layers_as_lines,
    shared_problems,
    sharing,
    value_problems,
    with_values,
)
from engine.experiment.location import experiment_path
from engine.experiment.own_rule import asked_of_rule, read_own_rule
from engine.experiment.spec import (
    ClipSpec,
    DataSpec,
    Experiment,
    LayerSpec,
    LinearSpec,
    LineLayerSpec,
    LossSpec,
    NetworkSpec,
    OptimizerSpec,
    ParameterSpec,
    ScheduleSpec,
    SGDSpec,
    Table,
    TrainingSpec,
    WrittenSpec,
)
from engine.experiment.spec_tables import (
    LAYER_SPECS,
    LINES_LOSS_SPECS,
    LOSS_SPECS,
    OPTIMIZER_SPECS,
    SCHEDULE_SPECS,
)
from engine.experiment.synonyms import (
    as_toml,
    is_names,
    meant_type,
    renamed,
    unknown_field,
    unknown_type,
    written,
)
from engine.files import read_regular
from engine.run.phases import Phase
from engine.toml_lines import located, unreadable
from engine.toml_text import read_toml
from engine.wording import explain, join, shown, unknown_value, walk, words_of

MAX_FILE_BYTES = 64 * 2**20
MAX_LAYERS = 2000  # formulas and listings grow faster than the number of layers
T = TypeVar("T", bound=Table)
NAME = re.compile(r"[^\W\d]\w*\Z")
# Tensors of every program and words of expressions: a layer of that name could not be told apart.
RESERVED = {"x", "y", "yhat", "loss", "optimizer", "event", "iteration", "epoch", "tensor"}
REQUIRED_TABLES = {"data": "[data]", "layers": "[[layers]]", "loss": "[loss]"}
LINES_TABLES = ("sizes", "parameters", "constants", "network")


def load_experiment(name: str) -> Experiment:
    """The built-in experiment of that name, or the one in that .toml file.

    Raises :class:`engine.errors.ExperimentError` with every problem that can be found, and
    GradstepError for a file that is not there, cannot be read, or is no TOML.
    """
    path = experiment_path(name)
    try:
        content = read_regular(path, MAX_FILE_BYTES)
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        raw = read_toml(text)
    except OSError as error:
        raise GradstepError(f"{name}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise GradstepError(f"{name}: not UTF-8 text (byte {error.start})") from error
    except ValueError as error:
        raise GradstepError(f"{name}{unreadable(str(error), text)}") from error
    return read_experiment(raw, name, path.stem, str(path.parent), text)


def read_experiment(
    raw: Mapping[str, Any], file: str, stem: str = "", directory: str = "", text: str = ""
) -> Experiment:
    """The experiment that a parsed TOML document describes; ExperimentError with every problem.

    The problems have lines where the ``text`` of the document is given.
    """
    reader = Reader()
    experiment = reader.experiment(raw, file, stem or file, directory)
    if reader.problems or experiment is None:
        raise ExperimentError(file, located(reader.problems, text))
    return experiment


class Reader:
    """Reads tables into structs and collects every problem on the way, in ``problems``."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.largest = math.inf
        self.lines = False  # whether the network is one of lines, which take any data
        self.tables = False  # whether the file has lines, or tables that belong to them

    def problem(self, path: str, message: str) -> None:
        """Note one problem at the path of a field, ``layers[0].out``."""
        self.problems.append(Problem(path, message))

    def experiment(
        self, raw: Mapping[str, Any], file: str, stem: str, directory: str
    ) -> Experiment | None:
        """The whole document; None when anything is wrong."""
        plain = ("name", "description", "seed", "dtype")
        tables = ("data", "layers", "loss", "optimizer", "schedule", "clip", "training")
        self.unknown(raw, "", (*plain, *tables, *LINES_TABLES))
        self.tables = any(table in raw for table in LINES_TABLES)
        lines = self.tables or layers_as_lines(raw)
        known = renamed(raw, REQUIRED_TABLES)
        for table, header in REQUIRED_TABLES.items():
            if table not in known and not self.tables:
                self.problem(table, f"missing: the file needs {header}")
        # A file's name may be no UTF-8, and the name of an experiment goes into JSON and SQLite.
        name = stem.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        values = {"name": name, "file": file, "directory": directory}
        values |= self.fields(Experiment, {k: raw[k] for k in plain if k in raw}, "", plain)
        if values.get("dtype") == "float32":
            self.largest = float(np.finfo("float32").max)
        self.lines = lines
        read = {
            "data": self.data(raw),
            "layers": self.layers(raw["layers"]) if "layers" in raw else (),
            "loss": self.loss(raw),
            **(self.network(raw) if self.tables else {}),
            "optimizer": self.optimizer(raw.get("optimizer", {"type": "sgd"})),
            "schedule": self.schedule(raw["schedule"]) if "schedule" in raw else None,
            "clip": self.table(ClipSpec, raw["clip"], "clip") if "clip" in raw else None,
            "training": self.table(TrainingSpec, raw.get("training", {}), "training"),
        }
        if self.problems:
            return None
        experiment = Experiment(**values, **read)  # type: ignore[arg-type]
        asked = asked_of_rule(experiment.layers, experiment.optimizer, experiment.schedule)
        self.problems += asked
        return experiment

    def data(self, raw: Mapping[str, Any]) -> DataSpec | None:
        """The [data] table; lines may do without."""
        if "data" in raw or not self.tables:
            return (
                self.table(DataSpec, self.columns(raw["data"]), "data") if "data" in raw else None
            )
        return DataSpec()

    def columns(self, raw: Any) -> Any:
        """The [data] table with names of columns where they belong; notes where they do not."""
        if not isinstance(raw, Mapping):
            return raw
        found = dict(raw)
        for key, field in columns_elsewhere(raw):
            names = found.pop(key)
            found[field] = names if isinstance(names, list) else [names]
            said = f"names columns of a table: write {field} = {as_toml(found[field])} beside a csv"
            self.problem(f"data.{key}", said)
        return found

    def loss(self, raw: Mapping[str, Any]) -> LossSpec | None:
        """The [loss] table; where there are lines they may make the loss themselves."""
        if not self.lines:
            return self.typed(raw["loss"], "loss", LOSS_SPECS) if "loss" in raw else None
        if "loss" not in raw and not self.tables:
            return None
        table = raw.get("loss", {})
        if isinstance(table, Mapping) and "type" not in table and self.tables:
            return self.table(WrittenSpec, table, "loss")
        return self.typed(table, "loss", LINES_LOSS_SPECS)

    def network(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The tables of a network as lines."""
        found: dict[str, Any] = {
            "network": self.table(NetworkSpec, raw.get("network", {}), "network")
        }
        for name in ("sizes", "parameters", "constants"):
            table = raw.get(name, {})
            if not isinstance(table, Mapping):
                self.problem(name, f"must be a table, [{name}], not {shown(table)}")
                table = {}
            for key in table:
                self.line_name(join(name, key), key)
            found[name] = dict(table)
        for key, value in found["sizes"].items():
            if type(value) is not int or not 1 <= value <= 2**31:
                self.problem(
                    join("sizes", key), f"must be a whole number from 1, not {shown(value)}"
                )
        found["parameters"] = {
            key: self.table(ParameterSpec, value, join("parameters", key))
            if isinstance(value, Mapping)
            else ParameterSpec(value=value)
            for key, value in found["parameters"].items()
        }
        return found

    def line_name(self, path: str, name: str) -> None:
        """Note a name that lines could not write."""
        if not NAME.match(name) or keyword.iskeyword(name):
            rule = "a name has letters, digits and _, and does not start with a digit"
            self.problem(path, f"{shown(name)}: {rule}")
        elif name in RESERVED:
            self.problem(path, f"{name!r} has a meaning of its own; choose another name")

    def unknown(self, raw: Mapping[str, Any], path: str, allowed: Sequence[str]) -> None:
        """A problem for each key that the table does not have."""
        for key in raw:
            if key not in allowed:
                self.problem(join(path, key), unknown_field(key, raw, path, allowed))

    def fields(
        self, cls: type[Table], raw: Mapping[str, Any], path: str, names: Sequence[str]
    ) -> dict[str, Any]:
        """The values of the named fields that are right; a problem for each of the others."""
        types = {f.name: f.type for f in msgspec.structs.fields(cls)}
        values = {}
        for key in names:
            place = join(path, key)
            if key not in raw or self.wrong(raw[key], types[key], place, cls is DataSpec):
                continue
            # Field by field: a whole table at once would tell of the first problem alone.
            try:
                values[key] = msgspec.convert(raw[key], types[key])
            except msgspec.ValidationError as error:
                where, said = explain(str(error), raw[key], types[key])
                self.problem(place + where, said)
            if cls is DataSpec and key in ("x", "y") and values.get(key) is not None:
                values[key] = self.inline(values[key], place)
        return values

    def inline(self, items: list[Any], path: str) -> list[Any]:
        """The numbers of x or y, noted where one is none; integers stay what they are in lines."""
        fault = Walk().fault(items)
        if fault is not None:
            names = path == "data.y" and is_names(items)
            said = ": classes are whole numbers from 0" if names else ""
            self.problem(path + fault[0], fault[1] + said)
        return items if fault is not None or self.lines else floats(items)

    def wrong(self, value: Any, kind: Any, path: str, data: bool) -> bool:
        """Note unknown words in a list, and hyper-parameters that are not finite; whether any.

        Data may hold NaN and infinities.
        """
        before = len(self.problems)
        if isinstance(value, list) and (allowed := words_of(kind)):
            for i, word in enumerate(value):
                if isinstance(word, str) and word not in allowed:
                    self.problem(f"{path}[{i}]", unknown_value(word, allowed))
        bad = () if data else [v for v in walk(value) if isinstance(v, float) and self.odd(v)]
        if bad:
            large = f"too large for float32, whose largest is {self.largest:.2g}"
            self.problem(path, f"{bad[0]} is {large if math.isfinite(bad[0]) else 'not finite'}")
        return len(self.problems) > before

    def odd(self, value: float) -> bool:
        """Whether a number is none that the experiment's dtype can hold."""
        return not math.isfinite(value) or abs(value) > self.largest

    def table(self, cls: type[T], raw: Any, path: str, more: Sequence[str] = ()) -> T | None:
        """One table as a struct; None when anything in it is wrong."""
        if not isinstance(raw, Mapping):
            self.problem(path, f"must be a table, [{path}], not {shown(raw)}{written(raw, path)}")
            return None
        before = len(self.problems)
        infos = msgspec.structs.fields(cls)
        names = [info.name for info in infos if info.name != "values"]
        self.unknown(raw, path, (*more, *names))
        values = self.fields(cls, raw, path, names)
        given = renamed(raw, names)
        for info in infos:
            if info.required and info.name not in given:
                self.problem(join(path, info.name), "missing: this field is required")
        if cls is DataSpec:
            for said in data_problems(given, self.lines):
                self.problem(*said)
        elif cls is LinearSpec:
            self.problems += linear_problems(values, path)
        elif cls is SGDSpec:
            self.problems += nesterov_problems(values)
        elif cls is ClipSpec:
            self.problems += clip_problems(raw)
        elif cls is TrainingSpec:
            self.problems += steps_problems(values)
        return cls(**values) if len(self.problems) == before else None

    def typed(self, raw: Any, path: str, specs: Mapping[str, type[T]]) -> T | None:
        """A table whose ``type`` chooses the struct; None when anything in it is wrong."""
        if not isinstance(raw, Mapping):
            self.problem(path, f"must be a table with a type, not {shown(raw)}{written(raw, path)}")
            return None
        kind = raw.get("type", renamed(raw, ("type",)).get("type"))
        if kind is None:
            self.problem(join(path, "type"), f"missing; allowed: {', '.join(specs)}")
        elif not isinstance(kind, str) or kind not in specs:
            said = f"unknown type {shown(kind)}; {unknown_type(str(kind)[:100], specs)}"
            self.problem(join(path, "type"), said)
            if fitting := meant_type(str(kind)[:100], specs):  # for what else is wrong there
                self.table(specs[fitting], raw, path, more=("type",))
        else:
            return self.table(specs[kind], raw, path, more=("type",))
        return None

    def layers(self, raw: Any) -> tuple[LayerSpec, ...] | None:
        """The [[layers]] tables; notes names that are taken, or cannot be used in expressions."""
        if not isinstance(raw, list) or not raw:
            one = "; [layers] is a single table" if isinstance(raw, Mapping) else ""
            said = f"must be a list of at least one table{one}: write [[layers]] above each layer"
            self.problem("layers", said)
            return None
        if len(raw) > MAX_LAYERS:
            self.problem("layers", f"{len(raw):,} layers, more than the limit of {MAX_LAYERS:,}")
            return None
        names = layer_names(raw)
        self.problems += shared_problems(raw, names)
        tables = sharing(raw, names)
        specs = [self.layer(table, f"layers[{i}]") for i, table in enumerate(tables)]
        places: dict[str, int] = {}
        for i, name in enumerate(names):
            if name is not None:
                self.layer_name(f"layers[{i}].name", name, places.setdefault(name, i), i)
        return tuple(spec for spec in specs if spec is not None)

    def layer(self, raw: Any, path: str) -> LayerSpec | None:
        """One of the [[layers]], with the explicit values that it has among its options."""
        table, values = with_values(raw)
        spec = self.typed(table, path, LAYER_SPECS)
        problems = list(value_problems(values, path, self.largest))
        self.problems += problems
        if problems or spec is None or not isinstance(spec, LineLayerSpec):
            return spec
        return msgspec.structs.replace(spec, values=values)

    def layer_name(self, path: str, name: str, first: int, i: int) -> None:
        """Note a layer's name that is taken, is no identifier, or is a word of the debugger."""
        if first < i:
            self.problem(path, f"{shown(name)} is already the name of layer {first + 1}")
        elif not NAME.match(name):
            rule = "a name has letters, digits and _, and does not start with a digit"
            self.problem(path, f"{shown(name)}: {rule}")
        elif name in RESERVED or name in list(Phase):
            self.problem(path, f"{name!r} has a meaning of its own; choose another name")

    def optimizer(self, raw: Any) -> OptimizerSpec | None:
        """The [optimizer] table; None when anything in it is wrong."""
        if isinstance(raw, Mapping) and "lines" in raw:
            spec, problems = read_own_rule(raw, self.largest)
            self.problems += problems
            return spec
        return self.typed(raw, "optimizer", OPTIMIZER_SPECS)

    def schedule(self, raw: Any) -> ScheduleSpec | None:
        """The [schedule] table; None when anything in it is wrong."""
        return self.typed(raw, "schedule", SCHEDULE_SPECS)
