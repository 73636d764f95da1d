"""The structs of tables whose options a function, a loss or a rule declares, by their words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import partial
from typing import Any, Literal, TypeVar, get_type_hints

from msgspec import defstruct, structs

from engine.experiment.spec import (
    AdadeltaSpec,
    AdagradSpec,
    AdamSpec,
    AdamWSpec,
    ConstantSpec,
    CosineSpec,
    ExponentialSpec,
    GivenSpec,
    LayerSpec,
    LinearSpec,
    LinearWarmupSpec,
    LineLayerSpec,
    LossSpec,
    ParametersSpec,
    RMSpropSpec,
    RuleSpec,
    ScheduleSpec,
    SGDSpec,
    StepSpec,
    Table,
    WrittenSpec,
)
from engine.functions.linear import Linear
from engine.functions.options import INFERRED
from engine.nn.layer import LayerRow
from engine.nn.line_table import LINE_LAYERS
from engine.nn.table import LAYERS, LOSSES

T = TypeVar("T")


def itself(spec: type[T]) -> type[T]:
    """A struct that is there already."""
    return spec


def by_type(*specs: Any) -> dict[str, Any]:
    """Structs by the word of their type."""
    return {spec.type: spec for spec in specs}


class Specs(Mapping[str, type[T]]):
    """The structs of tables by the word of their type, each made when it is asked for.

    Making all of them takes as long as everything else that a small experiment needs.
    """

    def __init__(self, makers: Mapping[str, Callable[[], type[T]]]) -> None:
        self.makers = dict(makers)
        self._made: dict[str, type[T]] = {}

    def __getitem__(self, word: str) -> type[T]:
        if word not in self._made:
            self._made[word] = self.makers[word]()
        return self._made[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self.makers)

    def __len__(self) -> int:
        return len(self.makers)


def of_layer(row: LayerRow) -> Any:
    """The table of a kind of layer: what every layer has, its options, values of parameters."""
    if row.function is Linear:
        return LinearSpec
    if not row.parameters:
        return of_function(row.function, LayerSpec)
    values: Any = list[list[float] | float] | None
    roles: Any = list[Literal[tuple(row.parameters)]]  # type: ignore[misc]  # the row's words
    own: list[tuple[str, Any, Any]] = [(role, values, None) for role in row.parameters]
    own += [("frozen", roles, []), ("decay", bool | roles | None, None)]
    return of_function(row.function, ParametersSpec, own)


def of_function(function: Any, base: type[Table], more: Sequence[tuple[str, Any, Any]] = ()) -> Any:
    """The table of a function or a loss: what its kind has, and the options that it declares."""
    known = {info.name for info in structs.fields(base)}
    hints = get_type_hints(function, include_extras=True)
    own: list[Any] = [
        (
            option.name,
            hints[option.name],
            *((option.default,) if option.default is not MISSING else ()),
        )
        for option in fields(function)
        if option.name not in known and not option.metadata.get(INFERRED)
    ]
    return defstruct(
        f"{function.__name__}Spec",
        [*own, *more],
        bases=(base,),
        module=__name__,
        namespace={"type": function.type, "__doc__": function.__doc__},
        kw_only=True,
        frozen=True,
    )


def of_lines(word: str) -> Any:
    """The table of a kind of layer that is lines."""
    row = LINE_LAYERS[word]
    return of_function(row, LineLayerSpec if row.roles else LayerSpec)


LAYER_SPECS: Specs[LayerSpec] = Specs(
    {word: partial(of_layer, row) for word, row in LAYERS.items()}
    | {word: partial(of_lines, word) for word in LINE_LAYERS}
)
LOSS_SPECS: Specs[LossSpec] = Specs(
    {word: partial(of_function, loss, LossSpec) for word, loss in LOSSES.items()}
)
# What a loss may be where a network is written as lines.
LINES_LOSS_SPECS: Specs[LossSpec] = Specs(
    {word: partial(LOSS_SPECS.__getitem__, word) for word in LOSS_SPECS}
    | {spec.type: partial(itself, spec) for spec in (WrittenSpec, GivenSpec)}
)
OPTIMIZER_SPECS: dict[str, type[RuleSpec]] = by_type(
    SGDSpec, AdamSpec, AdamWSpec, AdagradSpec, RMSpropSpec, AdadeltaSpec
)
SCHEDULE_SPECS: dict[str, type[ScheduleSpec]] = by_type(
    ConstantSpec, StepSpec, ExponentialSpec, CosineSpec, LinearWarmupSpec
)
