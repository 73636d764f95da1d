"""Experiment files into structs: every findable problem of a file at once, each with its path."""

import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.errors import ExperimentError, GradstepError, Problem
from engine.experiment import (
    LAYER_SPECS,
    LOSS_SPECS,
    OPTIMIZER_SPECS,
    DataSpec,
    Experiment,
    LayerSpec,
    LinearSpec,
    SGDSpec,
    Table,
    TrainingSpec,
)
from engine.phases import DEFAULT_ORDER, Phase, order_problems, skip_problems

BUILTINS = Path(__file__).parent / "builtins"
MAX_FILE_BYTES = 64 * 2**20
T = TypeVar("T", bound=Table)
NAME = re.compile(r"[^\W\d]\w*\Z")
RESERVED = {"x", "y", "yhat", "loss", "optimizer", "event", "iteration", "epoch", "tensor"}


def builtin_names() -> list[str]:
    """The names of the built-in experiments, the default first."""
    names = sorted(path.stem for path in BUILTINS.glob("*.toml"))
    first = [name for name in ("regression",) if name in names]
    return first + [name for name in names if name not in first]


def nearest(word: str, allowed: Iterable[str]) -> str:
    """What to say about a wrong word: the nearest right one, then all that are allowed."""
    choices = list(allowed)
    near = get_close_matches(word.lower(), choices, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}allowed: {', '.join(choices)}"


def experiment_path(name: str) -> Path:
    """The file behind a built-in name or a path; a GradstepError when there is none."""
    if name in builtin_names():
        return BUILTINS / f"{name}.toml"
    path = Path(name)
    if path.suffix == ".toml" or path.exists():
        return path
    raise GradstepError(
        f"{name}: neither a built-in experiment nor a .toml file; {nearest(name, builtin_names())}"
    )


def read_file(name: str) -> Experiment:
    """The experiment behind a built-in name or a path to a TOML file."""
    path = experiment_path(name)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise GradstepError(f"{name}: an experiment file has at most {MAX_FILE_BYTES} bytes")
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GradstepError(f"{name}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise GradstepError(f"{name}: not UTF-8 text (byte {error.start})") from error
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise GradstepError(f"{name}: not valid TOML: {error}") from error
    return read_experiment(raw, source=name, stem=path.stem, directory=str(path.parent))


def read_experiment(
    raw: Mapping[str, Any], source: str, stem: str = "", directory: str = ""
) -> Experiment:
    """The experiment that a parsed TOML document describes."""
    reader = Reader()
    experiment = reader.experiment(raw, source, stem or source, directory)
    if reader.problems or experiment is None:
        raise ExperimentError(source, reader.problems)
    return experiment


class Reader:
    """Reads tables into structs and collects every problem on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def problem(self, path: str, message: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(path, message))

    def experiment(
        self, raw: Mapping[str, Any], source: str, stem: str, directory: str
    ) -> Experiment | None:
        """The whole document; None when anything is wrong."""
        plain = ("name", "description", "seed", "dtype")
        tables = ("data", "layers", "loss", "optimizer", "training")
        self.unknown(raw, "", (*plain, *tables))
        for table in ("data", "layers", "loss"):
            if table not in raw:
                header = "[[layers]]" if table == "layers" else f"[{table}]"
                self.problem(table, f"missing: the file needs {header}")
        values: dict[str, Any] = {
            "data": self.data(raw["data"]) if "data" in raw else None,
            "layers": self.layers(raw["layers"]) if "layers" in raw else None,
            "loss": self.typed(raw["loss"], "loss", LOSS_SPECS) if "loss" in raw else None,
            "optimizer": self.optimizer(raw.get("optimizer", {"type": "sgd"})),
            "training": self.training(raw.get("training", {})),
        }
        values |= self.fields(Experiment, {k: raw[k] for k in plain if k in raw}, "", plain)
        values = {"name": stem, "source": source, "directory": directory} | values
        if self.problems:
            return None
        return Experiment(**values)

    def unknown(self, raw: Mapping[str, Any], path: str, allowed: Sequence[str]) -> None:
        """A problem for each key that the table does not have."""
        for key in raw:
            if key not in allowed:
                self.problem(join(path, key), f"unknown field; {nearest(key, allowed)}")

    def fields(
        self, cls: type[Table], raw: Mapping[str, Any], path: str, names: Sequence[str]
    ) -> dict[str, Any]:
        """The values of the named fields, each checked on its own."""
        types = {f.name: f.type for f in msgspec.structs.fields(cls)}
        values = {}
        for key in names:
            if key in raw and self.finite(raw[key], join(path, key), key in ("x", "y")):
                try:
                    values[key] = msgspec.convert(raw[key], types[key])
                except msgspec.ValidationError as error:
                    self.problem(*explain(join(path, key), error, raw[key], types[key]))
        return values

    def finite(self, value: Any, path: str, data: bool) -> bool:
        """Whether a hyper-parameter is free of NaN and infinities; data may hold them."""
        if data or not isinstance(value, float | list):
            return True
        bad = [v for v in walk(value) if isinstance(v, float) and not math.isfinite(v)]
        if bad:
            self.problem(path, f"{bad[0]} is not a finite number")
        return not bad

    def table(self, cls: type[T], raw: Any, path: str, more: Sequence[str] = ()) -> T | None:
        """One table as a struct; None when anything in it is wrong."""
        if not isinstance(raw, Mapping):
            self.problem(path, f"must be a table, [{path}]")
            return None
        before = len(self.problems)
        infos = msgspec.structs.fields(cls)
        names = [info.name for info in infos]
        self.unknown(raw, path, (*more, *names))
        values = self.fields(cls, raw, path, names)
        for info in infos:
            if info.required and info.name not in raw:
                self.problem(join(path, info.name), "missing: this field is required")
        return cls(**values) if len(self.problems) == before else None

    def typed(self, raw: Any, path: str, specs: Mapping[str, type[T]]) -> T | None:
        """A table whose ``type`` chooses the struct."""
        if not isinstance(raw, Mapping):
            self.problem(path, "must be a table with a type")
            return None
        kind = raw.get("type")
        if kind is None:
            self.problem(join(path, "type"), f"missing; allowed: {', '.join(specs)}")
        elif not isinstance(kind, str) or kind not in specs:
            self.problem(join(path, "type"), f"unknown type {kind!r}; {nearest(str(kind), specs)}")
        else:
            return self.table(specs[kind], raw, path, more=("type",))
        return None

    def data(self, raw: Any) -> DataSpec | None:
        """The [data] table: exactly one source, with the fields that belong to it."""
        spec = self.table(DataSpec, raw, "data")
        if spec is None:
            return None
        inline = spec.x is not None or spec.y is not None
        sources = [
            n for n, given in (("x/y", inline), ("csv", spec.csv), ("npz", spec.npz)) if given
        ]
        if len(sources) != 1:
            found = " and ".join(sources) or "none"
            self.problem("data", f"needs exactly one source of x/y, csv, npz; found {found}")
        elif inline:
            for name in ("x", "y"):
                if getattr(spec, name) is None:
                    self.problem(f"data.{name}", "missing: inline data has both x and y")
        for name in ("inputs", "targets"):
            listed = getattr(spec, name) is not None
            if spec.csv and not listed:
                self.problem(f"data.{name}", "missing: a CSV needs the names of its columns")
            elif listed and not spec.csv:
                self.problem(f"data.{name}", "belongs to csv only")
        if spec.one_hot and not spec.csv:
            self.problem("data.one_hot", "belongs to csv only")
        return spec

    def layers(self, raw: Any) -> tuple[LayerSpec, ...] | None:
        """The [[layers]] tables, with names that are distinct and usable in expressions."""
        if not isinstance(raw, list) or not raw:
            self.problem("layers", "must be a list of at least one table, [[layers]]")
            return None
        before = len(self.problems)
        specs = [self.typed(table, f"layers[{i}]", LAYER_SPECS) for i, table in enumerate(raw)]
        names = [
            str(table.get("name") or spec_name(raw, i)) if isinstance(table, Mapping) else ""
            for i, table in enumerate(raw)
        ]
        for i, (spec, name) in enumerate(zip(specs, names, strict=True)):
            self.layer_name(f"layers[{i}].name", name, names[:i])
            if isinstance(spec, LinearSpec):
                self.linear(spec, f"layers[{i}]")
        if len(self.problems) > before:
            return None
        return tuple(spec for spec in specs if spec is not None)

    def layer_name(self, path: str, name: str, earlier: Sequence[str]) -> None:
        """A layer's name is an identifier, is not taken, and is not a word of the debugger."""
        if name in earlier:
            self.problem(path, f"{name!r} is taken by layers[{earlier.index(name)}]")
        elif not NAME.match(name):
            self.problem(
                path, f"{name!r}: a name has letters, digits and _ and starts with no digit"
            )
        elif name in RESERVED or name in list(Phase):
            self.problem(path, f"{name!r} has a meaning of its own; choose another name")

    def linear(self, spec: LinearSpec, path: str) -> None:
        """Explicit values have as many rows as ``out``, and rows of one length."""
        if spec.weight is not None:
            if len(spec.weight) != spec.out:
                self.problem(f"{path}.weight", f"has {len(spec.weight)} rows, but out = {spec.out}")
            lengths = sorted({len(row) for row in spec.weight})
            if len(lengths) > 1:
                self.problem(f"{path}.weight", f"its rows have different lengths, {lengths}")
        if isinstance(spec.bias, list) and len(spec.bias) != spec.out:
            self.problem(f"{path}.bias", f"has {len(spec.bias)} values, but out = {spec.out}")
        if spec.bias is False and "bias" in spec.frozen:
            self.problem(f"{path}.frozen", "there is no bias to freeze: bias = false")

    def optimizer(self, raw: Any) -> Any:
        """The [optimizer] table and what PyTorch refuses in it."""
        spec = self.typed(raw, "optimizer", OPTIMIZER_SPECS)
        if isinstance(spec, SGDSpec) and spec.nesterov and (not spec.momentum or spec.dampening):
            self.problem("optimizer.nesterov", "needs a momentum above 0 and no dampening")
        return spec

    def training(self, raw: Any) -> TrainingSpec | None:
        """The [training] table with a legal order."""
        if isinstance(raw, Mapping) and isinstance(raw.get("order", []), list):
            for name in ("order", "skip"):
                for i, word in enumerate(raw.get(name, ())):
                    if isinstance(word, str) and word not in DEFAULT_ORDER:
                        said = f"no step {word!r}; {nearest(word, DEFAULT_ORDER)}"
                        self.problem(f"training.{name}[{i}]", said)
        if self.problems and self.problems[-1].path.startswith("training."):
            return None
        spec = self.table(TrainingSpec, raw, "training")
        if spec is not None:
            for said in order_problems(spec.order):
                self.problem("training.order", said)
            for said in skip_problems(spec.skip):
                self.problem("training.skip", said)
        return spec


def spec_name(raw: Sequence[Any], i: int) -> str:
    """The default name of layer i: its type and a running number."""
    kinds = [table.get("type") if isinstance(table, Mapping) else None for table in raw[: i + 1]]
    return f"{kinds[-1]}{kinds.count(kinds[-1])}"


def join(path: str, key: str) -> str:
    """The path of a field inside a table."""
    return f"{path}.{key}" if path else key


def walk(value: Any) -> Iterable[Any]:
    """All that a nested list holds."""
    if isinstance(value, list):
        for item in value:
            yield from walk(item)
    else:
        yield value


def explain(path: str, error: msgspec.ValidationError, value: Any, kind: Any) -> tuple[str, str]:
    """The path and the words for what msgspec found."""
    said, _, where = str(error).partition(" - at ")
    path += where.strip("`").removeprefix("$") if where else ""
    allowed = getattr(kind, "__args__", ())
    if isinstance(value, str) and allowed and all(isinstance(a, str) for a in allowed):
        return path, f"unknown value {value!r}; {nearest(value, allowed)}"
    words = said.replace("`", "").replace("Expected", "expected")
    return path, words
