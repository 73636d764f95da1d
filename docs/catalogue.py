"""Make docs/catalogue.md from the engine's own declarations: python docs/catalogue.py, make docs.

Nothing is told twice: fields, types, limits and defaults are those of the experiment's structs,
formulas and Jacobians those of the layers, losses, optimizers and schedules themselves.
"""

import contextlib
import dataclasses
import inspect
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import inspect as typed

from engine.experiment.data_generated import RECIPES, columns_of
from engine.experiment.spec import (
    ClipSpec,
    DataSpec,
    Experiment,
    LayerSpec,
    LineLayerSpec,
    LossSpec,
    NetworkSpec,
    ParameterSpec,
    RuleSpec,
    Table,
    TrainingSpec,
)
from engine.experiment.spec_tables import LAYER_SPECS, LOSS_SPECS, OPTIMIZER_SPECS, SCHEDULE_SPECS
from engine.formulas.elements import walk
from engine.formulas.named import Apply
from engine.formulas.tree import Formula, Symbol
from engine.functions.function import Vjp, terms
from engine.functions.linear import Linear
from engine.functions.losses.huber import Huber
from engine.functions.losses.smooth_l1 import SmoothL1
from engine.functions.prelu import PReLU
from engine.jacobian.operator import Point
from engine.lines.node import tensor
from engine.lines.table import loss_rows, rows
from engine.nn.layer import Layer
from engine.nn.line_row import LineRow, Unfit
from engine.nn.line_table import LINE_LAYERS
from engine.nn.table import LAYERS, LOSSES
from engine.optim.clipping import Clipping
from engine.optim.schedules import SCHEDULES
from engine.optim.table import OPTIMIZERS
from engine.program.graph import settings

FILE = Path(__file__).with_suffix(".md")
HEAD = """# The catalogue

Everything an experiment file can name, with its fields, their defaults and what they mean in
mathematics. This page is made from the code by `make docs`; a test holds it fresh.

Semantics, names and edge values are PyTorch's. ⊙ multiplies element by element, [z > 0] is 1 where
it holds and 0 elsewhere, N is the number of rows of the batch, K the number of outputs.
"""
OWN_RULE = """`decay = "weights"` leaves biases, and all parameters of one axis, out of it. A layer
may have `lr` and `weight_decay` of its own, and `decay`, which says what of it decays: `false`,
`true`, or a list of its parameters. These are PyTorch's parameter groups. They are tensors,
`optimizer.LAYER.lr` and `optimizer.LAYER.weight_decay`, where they are given; a schedule sets each
rate from its own initial one, `optimizer.LAYER.initial_lr`.

### A rule in lines

```toml
[optimizer]
lr = 0.1
beta = 0.9
lines = \"\"\"
v = beta*v + (1 - beta)*g      # read before it is assigned: a slot, which begins at 0
theta = theta - lr*v
\"\"\"
slots = { v = 0.5 }            # first values: a number, an array, or a table by parameter
```

Instead of a type, `lines` say what an update does to each parameter: statements in the language of
conditions and watches, one a line, carried out in order. `theta` is the parameter, `g` its
gradient, `t` the number of the update from 1, `pi` and `e` are constants; any other field of the
table is a number, a name in the lines, and the tensor `optimizer.NAME`. What is read before it is
assigned is a slot, the tensor `PARAMETER.NAME`; other names are gone after the update. `theta` and
slots must end with the shape of the parameter.
"""
SYMBOLS = {"input": "z", "output": "a", "weight": "W", "bias": "b", "mask": "m"}
YHAT = Symbol("ŷ")
OWN = {"name", "description", "seed", "dtype"}  # what stands at the top of a file
Row = tuple[str, ...]


def page() -> str:
    """The whole page."""
    parts = [HEAD, *experiment_part(), *data_part(), *layer_part(), *lines_part(), *loss_part()]
    parts += [*optimizer_part(), *schedule_part(), *clip_part(), *training_part()]
    return "\n".join(parts)


def table(heads: Row, rows: Iterable[Row]) -> str:
    """A table of Markdown."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(map(escaped, line))} |" for line in lines) + "\n"


def escaped(cell: str) -> str:
    """A cell that no bar and no asterisk breaks."""
    return cell.replace("|", "\\|")


def code(text: str) -> str:
    """Text in a monospaced font."""
    return f"`{text}`"


def meaning(cls: Any) -> str:
    """The first sentence of a docstring."""
    return inspect.cleandoc(cls.__doc__).split("\n\n")[0].replace("\n", " ").replace("``", "`")


def experiment_part() -> Iterator[str]:
    """What stands at the top of a file."""
    yield "## An experiment\n"
    yield fields_table(Experiment, keep=OWN)


def data_part() -> Iterator[str]:
    """The [data] table, and the sets that can be generated."""
    yield "## `[data]`\n"
    yield f"{meaning(DataSpec)}\n"
    yield fields_table(DataSpec)
    yield "### Generated sets: `generate`\n"
    heads = ("set", "what it is", "inputs", "classes", "noise")
    yield table(heads, (recipe_row(name) for name in RECIPES))


def recipe_row(name: str) -> Row:
    """One generated set with its defaults."""
    recipe = RECIPES[name]
    numbers = recipe.values is not None
    inputs = str(columns_of(name, None)) + ("" if recipe.features is None else ", or `features`")
    classes = "none, a number" if numbers else str(recipe.classes or 2)
    classes += "" if recipe.classes is None else ", or `classes`"
    return code(name), recipe.meaning, inputs, classes, f"{recipe.noise:g}"


def layer_part() -> Iterator[str]:
    """The [[layers]] tables."""
    yield "## `[[layers]]`\n"
    yield fields_table(LayerSpec)
    heads = ("type", "output a for input z", "∂ℓ/∂z", "∂a/∂z of a batch", "fields")
    yield table(heads, (layer_row(name) for name in LAYERS))
    formulas = [layer_of(name).function.formula(terms(SYMBOLS)) for name in LAYERS]
    yield from definitions([*formulas, *(vjp_of(name).formula for name in LAYERS)])
    yield "The parameters of `linear`:\n"
    heads = ("parameter", "shape", "gradient, added to")
    linear = LAYERS[Linear.type](3, 2)
    yield table(heads, (parameter_row(v, shape_words(v.wrt)) for v in linear.vjps(SYMBOLS)[:-1]))
    yield "The parameter of `prelu`, for all inputs together or for each:\n"
    counts = {"(1,)": 1, "(inputs,)": 4}
    found = {shape: LAYERS[PReLU.type](4, 4, num_parameters=n) for shape, n in counts.items()}
    yield table(heads, (parameter_row(f.vjps(SYMBOLS)[0], shape) for shape, f in found.items()))
    yield from line_layer_part()


def parameter_row(vjp: Vjp, shape: str) -> Row:
    """A parameter of a layer, its shape in words and its gradient."""
    return code(vjp.wrt), shape, vjp.formula.text()


LINE_LAYERS_TEXT = """### Layers that are lines

One of these, a layer with `inputs` or `shared`, or an x with more than two axes makes the network
one of lines. `inputs` names lines or layers, by default the layer before it, or x for the first;
lines read `LAYER.out`, and what reads what decides the order. `shared` is the layer of the same
kind whose parameters are used. Explicit values stand beside the options, `weight = [[…]]`. A layer
is one op; with its name in `[network]` `unfold`, its lines are ops of their own, `LAYER.h[0]`.
What a layer keeps, such as `LAYER.running_mean`, is a tensor like any other. In lines the layers
above, too, take inputs with any number of axes; `linear` is over the last one. Further `layers` of
recurrent ones have `_l1`, …, and the other direction `_l0_reverse`, ….
"""


def line_layer_part() -> Iterator[str]:
    """The layers that only a network of lines has."""
    yield LINE_LAYERS_TEXT
    rows = [
        (code(name), meaning(row), roles(row), options(LAYER_SPECS[name], base(row)))
        for name, row in LINE_LAYERS.items()
    ]
    yield table(("type", "what it is", "parameters", "fields"), rows)
    yield "Those with parameters also have:\n"
    own = {info.name for info in typed.type_info(LineLayerSpec).fields}
    yield fields_table(LineLayerSpec, keep=own - {"name", "inputs", "values"})


def lines_part() -> Iterator[str]:
    """Networks as lines: their tables, and every function that a line may call."""
    yield "## Networks as lines\n"
    yield (
        "`[parameters]`, `[constants]`, `[sizes]` and `[network]` write a network as its own "
        "equations; docs/experiments.md shows how. A line may call:\n"
    )
    known = {row.name: row for row in (*rows(), *loss_rows(LOSSES))}
    yield table(
        ("function", "what it gives"),
        ((code(known[name].signature), known[name].summary) for name in sorted(known)),
    )
    yield "\n### `[network]`\n"
    yield fields_table(NetworkSpec)
    yield "\n### `[parameters]`, a table for each name\n"
    yield fields_table(ParameterSpec)


def base(row: type[LineRow]) -> type[Table]:
    """What all layers like this one have."""
    return LineLayerSpec if row.roles else LayerSpec


def roles(row: type[LineRow]) -> str:
    """The names of a layer's parameters and of what it keeps."""
    if not row.roles:
        return "none"
    needed = {"out": 4, "kernel": 1, "hidden": 4, "num": 4, "groups": 1}
    own = {f.name for f in dataclasses.fields(row)}
    layer = row(**{name: value for name, value in needed.items() if name in own})
    for rank, whole in ((4, False), (3, False), (2, False), (2, True)):
        z = tensor("z", (4,) * rank, "whole" if whole else "real")
        with contextlib.suppress(Unfit):
            written = layer.written([z], training=True)
            return ", ".join(map(code, (*written.parameters, *written.buffers)))
    raise AssertionError(row)


def definitions(formulas: Iterable[Formula]) -> Iterator[str]:
    """What the functions are that formulas name, one a line."""
    parts = [part for formula in formulas for part in walk(formula)]
    found = dict.fromkeys(part.function.definition for part in parts if isinstance(part, Apply))
    yield "".join(f"- {text}\n" for text in found if text)


def shape_words(role: str) -> str:
    """The shape of a parameter of a linear layer in words."""
    return "(out, in)" if role == "weight" else "(out,)"


def layer_row(name: str) -> Row:
    """One layer with its default options."""
    layer = layer_of(name)
    shapes = {"input": (4, layer.inputs), "output": (4, layer.outputs)}
    point = Point(4, np.dtype("float64"), lambda role: np.zeros(shapes[role]), shapes.__getitem__)
    structure = layer.jacobian("input", point).structure
    return (
        code(name),
        layer.formula(SYMBOLS),
        vjp_of(name).formula.text(),
        structure,
        options(LAYER_SPECS[name], LayerSpec),
    )


def layer_of(name: str) -> Layer:
    """A layer with its defaults."""
    row = LAYERS[name]
    return row(4, 4 if row.resizes else row.function.outputs(4))


def vjp_of(name: str) -> Vjp:
    """The vector-Jacobian product of a layer by its input."""
    return layer_of(name).vjps(SYMBOLS)[-1]


def loss_part() -> Iterator[str]:
    """The [loss] table."""
    yield "## `[loss]`\n"
    yield fields_table(LossSpec)
    heads = ("type", "ℓ with `mean`", "∂ℓ/∂ŷ", "fields")
    yield table(heads, (loss_row(name) for name in LOSSES))
    yield from definitions([Huber().formula(YHAT), SmoothL1().formula(YHAT)])
    yield "With their options the terms become:\n"
    yield table(("type", "fields", "ℓ with `mean`", "∂ℓ/∂ŷ"), list(loss_options()))


def loss_row(name: str) -> Row:
    """One loss with its defaults."""
    loss = LOSSES[name]()
    formulas = loss.formula(YHAT).text(), loss.gradient_formula(YHAT).text()
    return code(name), *formulas, options(LOSS_SPECS[name], LossSpec)


def loss_options() -> Iterator[Row]:
    """Each loss with weights, ignored classes and smoothing."""
    values = {
        "weight": (1.0, 2.0),
        "pos_weight": (1.0, 2.0),
        "ignore_index": -100,
        "label_smoothing": 0.1,
        "p": 2,
        "log_target": True,
        "full": True,
    }
    for name, cls in LOSSES.items():
        for field, value in values.items():
            if hasattr(cls, field):
                loss = cls(**{field: value})
                text = str(value).lower()  # as in a file
                shown = field if isinstance(value, tuple) else f"{field} = {text}"
                yield (
                    code(name),
                    code(shown),
                    loss.formula(YHAT).text(),
                    loss.gradient_formula(YHAT).text(),
                )


def optimizer_part() -> Iterator[str]:
    """The [optimizer] table."""
    yield "## `[optimizer]`\n"
    yield fields_table(RuleSpec)
    heads = ("type", "update", "fields")
    yield table(heads, (optimizer_row(name) for name in OPTIMIZERS))
    yield "With weight decay, λ = `weight_decay`:\n"
    yield table(heads[:2], (decayed_row(name) for name in OPTIMIZERS))
    yield OWN_RULE


def optimizer_row(name: str) -> Row:
    """One optimizer with its defaults, but without weight decay."""
    return code(name), update_text(name, 0.0), options(OPTIMIZER_SPECS[name], RuleSpec)


def decayed_row(name: str) -> Row:
    """One optimizer with weight decay."""
    return code(name), update_text(name, 0.01)


def update_text(name: str, weight_decay: float) -> str:
    """What an optimizer does to a parameter."""
    rule = OPTIMIZERS[name](weight_decay=weight_decay)  # type: ignore[call-arg]
    return ", ".join((f"θ ← {rule.formula('θ')}", *rule.details("θ")))


def schedule_part() -> Iterator[str]:
    """The [schedule] table."""
    yield "## `[schedule]`\n"
    yield (
        "The first op of update sets the learning rate η from the initial one, η₀; e and i are\n"
        "the numbers of the epoch and the iteration, from 1. Without this table η stays as it is.\n"
        "To change a run by hand, set `optimizer.initial_lr`, which scales what is left of the\n"
        "schedule; or skip the op `update:optimizer.lr` from here on and set `optimizer.lr`.\n"
    )
    heads = ("type", "η ←", "what it is", "fields")
    yield table(heads, (schedule_row(name) for name in SCHEDULES))


def schedule_row(name: str) -> Row:
    """One schedule; what has no default is shown as an example."""
    spec, cls = SCHEDULE_SPECS[name], SCHEDULES[name]
    given = {"step_size": 10, "gamma": 0.9, "t_max": 10}
    needed = [info.name for info in msgspec.structs.fields(spec) if info.required]
    schedule = cls(**settings(spec(**{name: given[name] for name in needed}), cls))
    return code(name), schedule.formula(), meaning(cls), options(spec, Table)


def clip_part() -> Iterator[str]:
    """The [clip] table."""
    yield "## `[clip]`\n"
    yield f"{meaning(ClipSpec)} These ops stand in update, before the parameters move.\n"
    yield fields_table(ClipSpec)
    rows = []
    for clipping in (Clipping(norm=1.0), Clipping(value=1.0)):
        by_norm = clipping.norm is not None
        first = f"c = {clipping.factor_formula()}, " if by_norm else ""
        kind = "norm" if by_norm else "value"
        rows.append((code(f"{kind} = 1.0"), f"{first}∇θ ← {clipping.formula('∇θ')}"))
    yield table(("field", "ops"), rows)


def training_part() -> Iterator[str]:
    """The [training] table."""
    yield "## `[training]`\n"
    yield f"{meaning(TrainingSpec)}\n"
    yield fields_table(TrainingSpec)


def fields_table(spec: type[Table], keep: set[str] | None = None) -> str:
    """The fields of a struct, a row each."""
    found = [info for info in typed.type_info(spec).fields if keep is None or info.name in keep]
    rows = [(code(info.name), kind(info.type), default_of(info)) for info in found]
    return table(("field", "value", "default"), rows)


def options(spec: type[Table], general: type[Table]) -> str:
    """The fields of a struct that not all of its kind have, or that have another default."""
    known = {info.name: info for info in typed.type_info(general).fields}
    found = [info for info in typed.type_info(spec).fields if differs(info, known.get(info.name))]
    return ", ".join(f"{code(info.name)} {kind(info.type)} ({default_of(info)})" for info in found)


def differs(info: typed.Field, general: typed.Field | None) -> bool:
    """Whether a field is one of its own."""
    return general is None or default_of(info) != default_of(general)


def default_of(info: typed.Field) -> str:
    """The default as it would stand in the file."""
    if info.name == "name":
        return "the file's name" if info.required else "the type and a number"
    if info.required:
        return "required"
    value = info.default if info.default is not msgspec.NODEFAULT else info.default_factory()
    if isinstance(value, float):
        return f"{value:.4g}"
    if value in (None, (), []):
        return "none"
    return msgspec.json.encode(value).decode() if not isinstance(value, Table) else "none"


LIMITS: Mapping[str, str] = {"gt": "above", "ge": "from", "lt": "below", "le": "up to"}
MOST = 2**20  # a limit beyond is there to refuse nonsense, and is not worth telling


def kind(found: typed.Type) -> str:
    """What a field takes, in words."""
    match found:
        case typed.LiteralType(values=values):
            return ", ".join(code(str(value)) for value in values)
        case typed.EnumType(cls=cls):
            return ", ".join(code(str(member)) for member in cls)
        case typed.UnionType(types=types):
            return " or ".join(kind(one) for one in types if not isinstance(one, typed.NoneType))
        case typed.ListType(item_type=typed.AnyType()):
            return "list of number, or of such lists"
        case typed.ListType(item_type=item) | typed.VarTupleType(item_type=item):
            return f"list of {kind(item)}"
        case typed.TupleType(item_types=items):
            return f"[{', '.join(kind(one) for one in items)}]"
        case typed.AnyType():
            return "number, or list of numbers or of such lists"
        case typed.BoolType():
            return "true or false"
        case typed.StrType():
            return "text"
        case typed.IntType() | typed.FloatType():
            word = "whole number" if isinstance(found, typed.IntType) else "number"
            return " ".join([word, *limits(found)])
    raise AssertionError(found)


def limits(found: typed.IntType | typed.FloatType) -> Iterator[str]:
    """The limits of a number that are worth telling."""
    for name, word in LIMITS.items():
        value = getattr(found, name)
        if value is not None and abs(value) < MOST:
            yield f"{word} {value:g}"


def main() -> None:
    """Write the page."""
    FILE.write_text(page(), encoding="utf-8")
    print(f"wrote {FILE}")


if __name__ == "__main__":
    main()
