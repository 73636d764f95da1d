"""The experiment: all that determines a run, as typed structs with their defaults."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from msgspec import Meta, Struct, to_builtins

from engine.functions.losses.loss import Reduction
from engine.functions.options import NonNegative, Positive
from engine.run.phases import DEFAULT_ORDER, Phase

Fraction = Annotated[float, Meta(ge=0, lt=1)]
Count = Annotated[int, Meta(ge=1, le=2**40)]
Seed = Annotated[int, Meta(ge=0, le=2**62)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
PathText = Annotated[str, Meta(min_length=1, max_length=4096)]
Columns = Annotated[list[str], Meta(min_length=1)]
Initializer = Literal[
    "kaiming_uniform",
    "kaiming_normal",
    "xavier_uniform",
    "xavier_normal",
    "normal",
    "uniform",
    "zeros",
    "constant",
]
Generated = Literal["spiral", "moons", "circles", "blobs", "sine", "linear"]
Share = Annotated[float, Meta(gt=0, lt=1)]


T = TypeVar("T")


class Table(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One table of an experiment file."""


class DataSpec(Table, kw_only=True, frozen=True):
    """Where the samples come from, and how they are batched."""

    x: list[Any] | None = None  # numbers, or lists of them, to any depth: data_inline
    y: list[Any] | None = None
    csv: PathText | None = None
    inputs: Columns | PathText | None = None  # or "others"
    targets: Columns | None = None
    one_hot: bool = False
    separator: Annotated[str, Meta(min_length=1, max_length=1)] | None = None
    decimal: Literal[".", ","] | None = None
    encoding: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    missing: Literal["refuse", "drop", "mean"] = "refuse"
    header: bool = True
    npz: PathText | None = None
    arrays: tuple[Name, ...] | None = None  # of x and y; lines may do with one
    generate: Generated | None = None
    samples: Annotated[int, Meta(ge=1, le=2**26)] = 200
    noise: NonNegative | None = None
    classes: Annotated[int, Meta(ge=2, le=2**16)] | None = None
    features: Annotated[int, Meta(ge=1, le=2**16)] | None = None
    standardize: bool = False
    validation: Share | None = None
    stratify: bool = False
    image: tuple[Count, Count] | None = None
    batch_size: Count | None = None
    shuffle: bool = False
    drop_last: bool = False


class LayerSpec(Table, kw_only=True, frozen=True):
    """What every layer has; ``inputs`` are lines or layers, else the layer before it, or x."""

    type: ClassVar[str]
    name: Name | None = None
    inputs: Annotated[list[Name], Meta(min_length=1, max_length=1000)] | None = None


class LearningSpec(LayerSpec, kw_only=True, frozen=True):
    """What a layer with parameters has: numbers of its own instead of the optimizer's.

    ``decay`` says which of the parameters decay: all, none, or those named. ``shared`` is the layer
    whose parameters are used instead of parameters of its own.
    """

    shared: Name | None = None
    lr: NonNegative | None = None
    weight_decay: NonNegative | None = None
    decay: bool | Sequence[str] | None = None


class LinearSpec(LearningSpec, kw_only=True, frozen=True):
    """A linear layer; the number of inputs is inferred."""

    type = "linear"
    out: Count
    bias: bool | list[float] = True
    init: Initializer = "kaiming_uniform"
    init_scale: float = 1.0
    weight: list[list[float]] | None = None
    frozen: list[Literal["weight", "bias"]] = []
    decay: bool | list[Literal["weight", "bias"]] | None = None


class ParametersSpec(LearningSpec, kw_only=True, frozen=True):
    """What a layer with parameters has beside its options, if its kind has no table of its own."""

    init: Initializer = "kaiming_uniform"
    init_scale: float = 1.0
    frozen: list[str] = []


class LineLayerSpec(LearningSpec, kw_only=True, frozen=True):
    """What a layer with parameters has beside its options where it is lines.

    ``values`` are explicit values by role; in a file they stand beside the options. ``init`` is of
    weights, PyTorch's for this kind of layer by default.
    """

    init: Initializer | None = None
    init_scale: float = 1.0
    frozen: list[str] = []
    decay: bool | list[str] | None = None
    values: dict[str, Any] = {}


class LossSpec(Table, kw_only=True, frozen=True):
    """What every loss has."""

    type: ClassVar[str]
    reduction: Reduction = "mean"
    scale: float = 1.0


class OptimizerSpec(Table, kw_only=True, frozen=True):
    """An update rule: one of the table, or one in lines."""

    type: ClassVar[str]


class RuleSpec(OptimizerSpec, kw_only=True, frozen=True):
    """What every optimizer of the table has."""

    weight_decay: NonNegative = 0.0
    decay: Literal["all", "weights"] = "all"
    maximize: bool = False


class LinesSpec(OptimizerSpec, kw_only=True, frozen=True):
    """A rule of one's own: ``numbers`` are the other fields of the table, names in the lines.

    ``slots`` has first values by the name of the slot: a number, an array, or one of them for each
    parameter by its name.
    """

    type = "lines"
    lines: str
    numbers: dict[str, float] = {}
    slots: dict[str, Any] = {}


class SGDSpec(RuleSpec, kw_only=True, frozen=True):
    type = "sgd"
    lr: NonNegative = 1e-3
    momentum: NonNegative = 0.0
    dampening: float = 0.0
    nesterov: bool = False


class AdamSpec(RuleSpec, kw_only=True, frozen=True):
    type = "adam"
    lr: NonNegative = 1e-3
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    eps: NonNegative = 1e-8
    amsgrad: bool = False


class AdamWSpec(AdamSpec, kw_only=True, frozen=True):
    type = "adamw"
    weight_decay: NonNegative = 1e-2


class AdagradSpec(RuleSpec, kw_only=True, frozen=True):
    type = "adagrad"
    lr: NonNegative = 1e-2
    lr_decay: NonNegative = 0.0
    initial_accumulator_value: NonNegative = 0.0
    eps: NonNegative = 1e-10


class RMSpropSpec(RuleSpec, kw_only=True, frozen=True):
    type = "rmsprop"
    lr: NonNegative = 1e-2
    alpha: NonNegative = 0.99
    eps: NonNegative = 1e-8
    momentum: NonNegative = 0.0
    centered: bool = False


class AdadeltaSpec(RuleSpec, kw_only=True, frozen=True):
    type = "adadelta"
    lr: NonNegative = 1.0
    rho: Fraction = 0.9
    eps: NonNegative = 1e-6


class ScheduleSpec(Table, kw_only=True, frozen=True, tag_field="type"):
    """What every schedule of the learning rate has."""

    type: ClassVar[str]
    every: Literal["epoch", "iteration"] = "epoch"


class ConstantSpec(ScheduleSpec, kw_only=True, frozen=True, tag="constant"):
    type = "constant"


class StepSpec(ScheduleSpec, kw_only=True, frozen=True, tag="step"):
    type = "step"
    step_size: Count
    gamma: Positive = 0.1


class ExponentialSpec(ScheduleSpec, kw_only=True, frozen=True, tag="exponential"):
    type = "exponential"
    gamma: Positive


class CosineSpec(ScheduleSpec, kw_only=True, frozen=True, tag="cosine"):
    type = "cosine"
    t_max: Count
    eta_min: NonNegative = 0.0


class LinearWarmupSpec(ScheduleSpec, kw_only=True, frozen=True, tag="linear_warmup"):
    type = "linear_warmup"
    every: Literal["epoch", "iteration"] = "iteration"
    start_factor: Annotated[float, Meta(gt=0, le=1)] = 1 / 3
    iterations: Count = 5


class ClipSpec(Table, kw_only=True, frozen=True):
    """Gradient clipping: by the norm of all gradients, or each element by value."""

    norm: Positive | None = None
    norm_type: Positive | Literal["inf"] = 2.0
    value: Positive | None = None


class ParameterSpec(Table, kw_only=True, frozen=True):
    """One table of [parameters]: drawn, or given as ``value``, or in a ``file``."""

    shape: list[int | str] | None = None
    init: Initializer = "kaiming_uniform"
    init_scale: float = 1.0
    fan: Annotated[int, Meta(ge=0, le=1)] = 1
    value: Any = None
    file: PathText | None = None
    frozen: bool = False
    tied: Name | None = None
    lr: NonNegative | None = None
    weight_decay: NonNegative | None = None
    decay: bool | None = None


class NetworkSpec(Table, kw_only=True, frozen=True):
    """[network]: the lines of a network, of the whole batch or of one sample."""

    per: Literal["batch", "sample"] = "batch"
    lines: Annotated[str, Meta(max_length=2**18)] = ""
    unfold: list[Name] | Name = []


class WrittenSpec(LossSpec, kw_only=True, frozen=True):
    """The loss that the lines make themselves; ``reduction`` is over the samples of a batch."""

    type = "lines"


class GivenSpec(LossSpec, kw_only=True, frozen=True):
    """ℓ = Σ G ⊙ ŷ: an upstream gradient as courses give it."""

    type = "given"
    gradient: Any


class TrainingSpec(Table, kw_only=True, frozen=True):
    """How long, and in which order the steps stand."""

    epochs: Count = 10
    order: tuple[Phase, ...] = DEFAULT_ORDER
    skip: tuple[Phase, ...] = ()
    input_gradient: bool = False
    mode: Literal["train", "eval"] = "train"


class Experiment(Table, kw_only=True, frozen=True):
    """All that determines a run; equal experiments with equal data give equal bits."""

    name: str
    description: str = ""
    seed: Seed = 0
    dtype: Literal["float32", "float64"] = "float64"
    data: DataSpec
    sizes: dict[str, Count] = {}
    parameters: dict[str, ParameterSpec] = {}
    constants: dict[str, Any] = {}
    network: NetworkSpec | None = None
    layers: tuple[LayerSpec, ...] = ()
    loss: LossSpec
    optimizer: OptimizerSpec
    schedule: ScheduleSpec | None = None
    clip: ClipSpec | None = None
    training: TrainingSpec = TrainingSpec()
    # Where it was read, for messages and relative paths: a recording leaves both out.
    file: str = ""
    directory: str = ""

    def __repr__(self) -> str:
        lines = ("lines",) if self.network is not None and self.network.lines else ()
        layers = " → ".join((*self.layer_names, *lines))
        return f"<Experiment {self.name!r}: {layers}, {self.loss.type}, {self.optimizer.type}>"

    def path_of(self, file: str) -> Path:
        """A data file's path: relative ones are relative to the experiment file."""
        return Path(self.directory, file)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The names of the layers: their own, or the type and a running number."""
        counts: dict[str, int] = {}
        names = []
        for spec in self.layers:
            counts[spec.type] = counts.get(spec.type, 0) + 1
            names.append(spec.name or f"{spec.type}{counts[spec.type]}")
        return tuple(names)


def optimizer_table(spec: OptimizerSpec) -> dict[str, Any]:
    """The [optimizer] table as plain data, defaults left out, as it can be read again."""
    table: dict[str, Any] = {"type": spec.type} | to_builtins(spec)
    numbers: dict[str, float] = table.pop("numbers", {})
    return table | numbers


def layer_table(spec: LayerSpec) -> dict[str, Any]:
    """A [[layers]] table as plain data, defaults left out, as it can be read again."""
    table: dict[str, Any] = {"type": spec.type} | to_builtins(spec)
    values: dict[str, Any] = table.pop("values", {})
    return table | values
