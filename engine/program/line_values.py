"""What the file gives to lines: sizes by letter, constants, first values of parameters."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.arrays import Array, Shape, frozen
from engine.errors import Problem
from engine.experiment.data_files import npz_arrays
from engine.experiment.data_inline import Walk, array_of
from engine.experiment.data_problem import DataProblem
from engine.experiment.dataset import Dataset
from engine.experiment.spec import Experiment, GivenSpec, ParameterSpec
from engine.experiment.tensor_files import safetensors_array
from engine.nn import initializers
from engine.program.graph import MAX_BYTES
from engine.program.line_network import Parameter
from engine.streams import stream
from engine.wording import shown


class Values:
    """The values of one experiment's lines; ``problems`` collects what is wrong with them.

    In lines of one sample a vector is a column.
    """

    def __init__(self, experiment: Experiment, data: Dataset, sample: bool) -> None:
        self.experiment = experiment
        self.x, self.y = data.x, data.y
        self.sample = sample
        self.problems: list[Problem] = []

    def problem(self, path: str, message: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(path, message))

    def sizes(self) -> dict[str, int]:
        """Sizes by letter: those of [sizes], n and K of the data."""
        found: dict[str, int] = {}
        if self.x.ndim > 1:
            found["n"] = self.x.shape[-1]
        y = self.y
        if y.ndim > 1:
            found["K"] = y.shape[-1]
        elif y.dtype.kind in "iu" and y.size:
            found["K"] = int(y.max()) + 1
        return found | self.experiment.sizes

    def constant(self, name: str, value: Any) -> Array:
        """A number or an array of [constants]."""
        return self.array(f"constants.{name}", value)

    def array(self, path: str, value: Any) -> Array:
        """Nested lists as an array in the experiment's dtype; whole numbers stay."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            found: Array = np.asarray(value)
        elif isinstance(value, list | tuple):
            fault = Walk().fault(value)
            if fault is not None:
                self.problem(path + fault[0], fault[1])
                return np.zeros(())
            try:
                found = array_of(value, path, keep=True)
            except DataProblem as error:
                self.problems += [Problem(path, one.message) for one in error.problems]
                return np.zeros(())
        else:
            self.problem(path, f"must be a number or lists of numbers, not {shown(value)}")
            return np.zeros(())
        return found if found.dtype.kind in "iu" else found.astype(self.experiment.dtype)

    def parameters(self, sizes: Mapping[str, int]) -> dict[str, Parameter]:
        """The parameters with their first values; a tied one is the one that it is tied to."""
        found: dict[str, Parameter] = {}
        specs = self.experiment.parameters
        for i, (name, spec) in enumerate(specs.items()):
            if name in self.experiment.constants:
                self.problem(f"parameters.{name}", "is a name of [constants] too")
            if spec.tied is not None:
                if spec.tied not in specs or specs[spec.tied].tied is not None:
                    said = f"tied to {spec.tied!r}, which is no parameter of its own"
                    self.problem(f"parameters.{name}.tied", said)
                continue
            value = self.first_value(name, spec, sizes, i)
            if value is not None:
                if self.sample and value.ndim == 1:
                    value = value[:, None]
                found[name] = Parameter(
                    name, frozen(value), spec.frozen, None, spec.lr, spec.weight_decay, spec.decay
                )
        return found

    def first_value(
        self, name: str, spec: ParameterSpec, sizes: Mapping[str, int], i: int
    ) -> Array | None:
        """What a parameter begins as: given, from a file, or drawn."""
        path = f"parameters.{name}"
        ways = [w for w in ("value", "file", "shape") if getattr(spec, w) is not None]
        if not ways:
            self.problem(path, "needs a shape, a value, a file or the parameter it is tied to")
            return None
        if "value" in ways and "file" in ways:
            self.problem(path, "has both a value and a file: one of them")
            return None
        shape = None if spec.shape is None else self.shape_of(spec.shape, sizes, f"{path}.shape")
        if ways == ["shape"]:
            return None if shape is None else self.drawn(spec, shape, i, path)
        if spec.value is not None:
            value = self.array(f"{path}.value", spec.value).astype(self.experiment.dtype)
        else:
            value = self.from_file(spec.file or "", path)
        if shape is not None and value.shape != shape and not self.problems:
            self.problem(path, f"has shape {shape}, but its values have {value.shape}")
        return value

    def from_file(self, file: str, path: str) -> Array:
        """A parameter in a file, ``weights.npz:W1`` or ``model.safetensors:fc.weight``."""
        name, _, key = file.rpartition(":")
        if not name:
            said = f"{file!r}: write FILE.npz:NAME or FILE.safetensors:NAME"
            self.problem(f"{path}.file", said)
            return np.zeros(())
        try:
            where = self.experiment.path_of(name)
            if where.suffix == ".safetensors":
                found = safetensors_array(where, key)
            else:
                (found,) = npz_arrays(where, [key], self.experiment.dtype, 1, keep=False)
        except DataProblem as error:
            for one in error.problems:
                self.problem(f"{path}.file", one.message)
            return np.zeros(())
        return found.astype(self.experiment.dtype)

    def shape_of(self, given: list[int | str], sizes: Mapping[str, int], path: str) -> Shape | None:
        """A shape whose sizes may be letters."""
        out = []
        for one in given:
            size = sizes.get(one) if isinstance(one, str) else one
            if size is None:
                known = ", ".join(sizes) or "none"
                self.problem(path, f"no size {one!r}; known are {known}: [sizes] names others")
                return None
            if size < 1:
                self.problem(path, f"a size is 1 or more, not {size}")
                return None
            out.append(size)
        if math.prod(out) * 8 > MAX_BYTES:
            self.problem(path, f"{tuple(out)} is more than the limit of {MAX_BYTES:,} bytes")
            return None
        return tuple(out)

    def drawn(self, spec: ParameterSpec, shape: Shape, i: int, path: str) -> Array:
        """A parameter from its initializer; one axis or none begins at 0."""
        dtype, rng = self.experiment.dtype, stream(self.experiment.seed, i)
        plain = spec.init in ("zeros", "constant", "normal", "uniform")
        if len(shape) < 2 and not plain:
            return np.zeros(shape, dtype)
        matrix = (shape[0], math.prod(shape[1:])) if len(shape) > 1 else (1, math.prod(shape))
        if len(shape) > 1 and spec.fan == 0:
            value = initializers.weight(spec.init, matrix[::-1], rng, spec.init_scale, dtype)
            return np.ascontiguousarray(value.T).reshape(shape)
        value = initializers.weight(spec.init, matrix, rng, spec.init_scale, dtype)
        return value.reshape(shape)

    def given(self) -> Array | None:
        """The upstream gradient of [loss] type = "given"."""
        spec = self.experiment.loss
        if not isinstance(spec, GivenSpec):
            return None
        value = self.array("loss.gradient", spec.gradient).astype(self.experiment.dtype)
        return columns(value, 2) if self.sample else value


def columns(value: Array, rank: int) -> Array:
    """Vectors of samples (N, d) as columns (N, d, 1); anything else as it is."""
    return frozen(value[..., None]) if value.ndim == rank else value
