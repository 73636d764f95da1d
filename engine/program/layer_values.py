"""What the parameters and buffers of layers that are lines begin as: given, or drawn."""

import math
from collections.abc import Container, Iterable
from typing import Any

import numpy as np

from engine.arrays import Array, Shape, frozen
from engine.errors import Problem
from engine.experiment.data_inline import array_of
from engine.experiment.data_problem import DataProblem
from engine.experiment.spec import Experiment, LearningSpec, LinearSpec, LineLayerSpec
from engine.nn import initializers
from engine.nn.line_row import Weight, Within
from engine.program.graph import MAX_BYTES
from engine.program.line_layers import Held
from engine.program.line_network import Parameter
from engine.streams import stream


class LayerValues:
    """The values of one experiment's layers; ``problems`` collects what is wrong with them.

    As in a chain, parameters count in the order of the layers, and each has a stream of its own.
    ``read_in`` are the places of the layers in which nothing was wrong.
    """

    def __init__(
        self, experiment: Experiment, held: Iterable[Held], read_in: Container[int]
    ) -> None:
        self.experiment = experiment
        self.problems: list[Problem] = []
        found = sorted(held, key=lambda one: one.place)  # stable: roles stay in their order
        self.check_roles(found, read_in)
        kept = [one for one in found if not self.too_large(one)]
        learned = [one for one in kept if not one.buffer]
        first = len(experiment.parameters)
        self.parameters = tuple(self.parameter(one, i) for i, one in enumerate(learned, first))
        self.buffers = {
            one.name: (self.layer(one), frozen(self.value(one, 0))) for one in kept if one.buffer
        }

    def layer(self, one: Held) -> str:
        """The name of the layer that it belongs to."""
        return self.experiment.layer_names[one.place]

    def problem(self, one: Held, message: str, option: str | None = None) -> None:
        """Note one problem."""
        self.problems.append(Problem(f"layers[{one.place}].{option or one.role}", message))

    def too_large(self, one: Held) -> bool:
        """Whether a parameter would not fit into memory, which is noted."""
        size = 8 * math.prod(one.weight.shape)
        if size > MAX_BYTES:
            said = f"{one.name} {one.weight.shape} takes {size:,} bytes"
            self.problem(one, f"{said}, more than the limit of {MAX_BYTES:,}")
        return size > MAX_BYTES

    def check_roles(self, held: Iterable[Held], read_in: Container[int]) -> None:
        """Note what a table says of parameters that its layer has not.

        Of a layer that could not be read it is not known which it has.
        """
        roles: dict[int, list[str]] = {}
        for one in held:
            roles.setdefault(one.place, []).append(one.role)
        for i, spec in enumerate(self.experiment.layers):
            if not isinstance(spec, LearningSpec) or i not in read_in:
                continue
            known = roles.get(i, [])
            decay = spec.decay if isinstance(spec.decay, list) else []
            named = [("frozen", role) for role in getattr(spec, "frozen", ())]
            named += [("decay", role) for role in decay]
            named += [(role, role) for role in getattr(spec, "values", {})]
            for option, role in named:
                if role not in known:
                    has = f"it has {', '.join(known)}" if known else "it has none of its own"
                    said = f"{self.experiment.layer_names[i]} has no parameter {role}: {has}"
                    self.problems.append(Problem(f"layers[{i}].{option}", said))

    def parameter(self, one: Held, i: int) -> Parameter:
        """A parameter with its first value and what its layer says of it."""
        spec = self.experiment.layers[one.place]
        assert isinstance(spec, LearningSpec)
        decay = one.role in spec.decay if isinstance(spec.decay, list) else spec.decay
        assert decay is None or isinstance(decay, bool)
        return Parameter(
            one.name,
            frozen(self.value(one, i)),
            one.role in getattr(spec, "frozen", ()),
            self.layer(one),
            spec.lr,
            spec.weight_decay,
            decay,
        )

    def value(self, one: Held, i: int) -> Array:
        """What a parameter begins as; the stream of its random numbers is number ``i``."""
        spec = self.experiment.layers[one.place]
        kept = spec.values if isinstance(spec, LineLayerSpec) else {}
        given: Any = kept.get(one.role, getattr(spec, one.role, None))
        return self.given(one, given) if isinstance(given, list) else self.drawn(one, spec, i)

    def given(self, one: Held, items: list[Any]) -> Array:
        """Explicit values; noted where they have not the parameter's shape."""
        shape = one.weight.shape
        try:
            found = array_of(items, one.role, keep=False)
        except DataProblem as error:
            for said in error.problems:
                self.problem(one, said.message)
            return np.zeros(shape, self.experiment.dtype)
        if found.shape != shape:
            self.problem(one, f"{one.name} has shape {found.shape}, but it takes {shape}")
            return np.zeros(shape, self.experiment.dtype)
        value: Array = found.astype(self.experiment.dtype)
        return value

    def drawn(self, one: Held, spec: Any, i: int) -> Array:
        """A parameter from its initializer, or a number; float32 starts from the same draws."""
        weight, dtype = one.weight, self.experiment.dtype
        if isinstance(weight.begins, float | int):
            return np.full(weight.shape, weight.begins, dtype)
        rng = stream(self.experiment.seed, i)
        asked = spec.init if isinstance(spec, LineLayerSpec | LinearSpec) else None
        scale = spec.init_scale if isinstance(spec, LineLayerSpec | LinearSpec) else 1.0
        if len(weight.shape) < 2:
            assert isinstance(weight.begins, Within)
            kind = asked or "kaiming_uniform"
            return initializers.bias(kind, weight.shape, weight.begins.fan, rng, dtype)
        if asked is None and isinstance(weight.begins, Within):
            bound = scale / math.sqrt(weight.begins.fan)
            value: Array = rng.uniform(-bound, bound, weight.shape).astype(dtype)
            return value
        chosen = asked or str(weight.begins)
        matrix, scale = flat(weight, chosen, scale)
        return initializers.weight(chosen, matrix, rng, scale, dtype).reshape(weight.shape)


def flat(weight: Weight, kind: str, scale: float) -> tuple[Shape, float]:
    """The (outputs, inputs) that a weight is drawn as, and its scale.

    Filters reach as many elements of an output as of an input, which Xavier's fan out counts.
    """
    outputs, inputs = weight.shape[0], math.prod(weight.shape[1:])
    if kind.startswith("xavier"):
        reach = math.prod(weight.shape[2:])
        scale *= math.sqrt((inputs + outputs) / (inputs + outputs * reach))
    return (outputs, inputs), scale
