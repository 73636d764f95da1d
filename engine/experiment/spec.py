"""The experiment: all that determines a run, as typed structs with their defaults."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct

from engine.run.phases import DEFAULT_ORDER, Phase

Positive = Annotated[float, Meta(gt=0)]
NonNegative = Annotated[float, Meta(ge=0)]
Fraction = Annotated[float, Meta(ge=0, lt=1)]
Count = Annotated[int, Meta(ge=1, le=2**40)]
ClassIndex = Annotated[int, Meta(ge=-(2**31), le=2**31)]
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


class Table(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One table of an experiment file."""


class DataSpec(Table, kw_only=True, frozen=True):
    """Where the samples come from, and how they are batched."""

    x: list[list[float]] | None = None
    y: list[list[float] | float] | None = None
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
    arrays: tuple[Name, Name] | None = None
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
    """What every layer has."""

    type: ClassVar[str]
    name: Name | None = None


class LinearSpec(LayerSpec, kw_only=True, frozen=True):
    """A linear layer; the number of inputs is inferred."""

    type = "linear"
    out: Count
    bias: bool | list[float] = True
    init: Initializer = "kaiming_uniform"
    init_scale: float = 1.0
    weight: list[list[float]] | None = None
    frozen: list[Literal["weight", "bias"]] = []


class IdentitySpec(LayerSpec, kw_only=True, frozen=True):
    type = "identity"


class ReLUSpec(LayerSpec, kw_only=True, frozen=True):
    type = "relu"


class LeakyReLUSpec(LayerSpec, kw_only=True, frozen=True):
    type = "leaky_relu"
    negative_slope: float = 0.01


class SigmoidSpec(LayerSpec, kw_only=True, frozen=True):
    type = "sigmoid"


class TanhSpec(LayerSpec, kw_only=True, frozen=True):
    type = "tanh"


class SoftplusSpec(LayerSpec, kw_only=True, frozen=True):
    type = "softplus"
    beta: Positive = 1.0
    threshold: float = 20.0


class ELUSpec(LayerSpec, kw_only=True, frozen=True):
    type = "elu"
    alpha: float = 1.0


class SiLUSpec(LayerSpec, kw_only=True, frozen=True):
    type = "silu"


class GELUSpec(LayerSpec, kw_only=True, frozen=True):
    type = "gelu"


class SoftmaxSpec(LayerSpec, kw_only=True, frozen=True):
    type = "softmax"


class LogSoftmaxSpec(LayerSpec, kw_only=True, frozen=True):
    type = "log_softmax"


class DropoutSpec(LayerSpec, kw_only=True, frozen=True):
    """Elements set to zero at random in training; [training] mode = "eval" switches it off."""

    type = "dropout"
    p: Annotated[float, Meta(ge=0, le=1)] = 0.5


class LossSpec(Table, kw_only=True, frozen=True):
    """What every loss has."""

    type: ClassVar[str]
    reduction: Literal["sum", "mean", "batch_mean"] = "mean"
    scale: float = 1.0


class MSESpec(LossSpec, kw_only=True, frozen=True):
    type = "mse"


class L1Spec(LossSpec, kw_only=True, frozen=True):
    type = "l1"


class HuberSpec(LossSpec, kw_only=True, frozen=True):
    type = "huber"
    delta: Positive = 1.0


class BCESpec(LossSpec, kw_only=True, frozen=True):
    type = "bce"
    weight: tuple[NonNegative, ...] = ()


class BCEWithLogitsSpec(LossSpec, kw_only=True, frozen=True):
    type = "bce_with_logits"
    weight: tuple[NonNegative, ...] = ()
    pos_weight: tuple[NonNegative, ...] = ()


class CrossEntropySpec(LossSpec, kw_only=True, frozen=True):
    type = "cross_entropy"
    weight: tuple[NonNegative, ...] = ()
    ignore_index: ClassIndex | None = None
    label_smoothing: Annotated[float, Meta(ge=0, le=1)] = 0.0


class NLLSpec(LossSpec, kw_only=True, frozen=True):
    type = "nll"
    weight: tuple[NonNegative, ...] = ()
    ignore_index: ClassIndex | None = None


class OptimizerSpec(Table, kw_only=True, frozen=True):
    """What every optimizer has."""

    type: ClassVar[str]
    weight_decay: NonNegative = 0.0
    maximize: bool = False


class SGDSpec(OptimizerSpec, kw_only=True, frozen=True):
    type = "sgd"
    lr: NonNegative = 1e-3
    momentum: NonNegative = 0.0
    dampening: float = 0.0
    nesterov: bool = False


class AdamSpec(OptimizerSpec, kw_only=True, frozen=True):
    type = "adam"
    lr: NonNegative = 1e-3
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    eps: NonNegative = 1e-8
    amsgrad: bool = False


class AdamWSpec(AdamSpec, kw_only=True, frozen=True):
    type = "adamw"
    weight_decay: NonNegative = 1e-2


class AdagradSpec(OptimizerSpec, kw_only=True, frozen=True):
    type = "adagrad"
    lr: NonNegative = 1e-2
    lr_decay: NonNegative = 0.0
    initial_accumulator_value: NonNegative = 0.0
    eps: NonNegative = 1e-10


class RMSpropSpec(OptimizerSpec, kw_only=True, frozen=True):
    type = "rmsprop"
    lr: NonNegative = 1e-2
    alpha: NonNegative = 0.99
    eps: NonNegative = 1e-8
    momentum: NonNegative = 0.0
    centered: bool = False


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
    layers: tuple[LayerSpec, ...]
    loss: LossSpec
    optimizer: OptimizerSpec
    schedule: ScheduleSpec | None = None
    clip: ClipSpec | None = None
    training: TrainingSpec = TrainingSpec()
    # Where it was read, for messages and relative paths: a recording leaves both out.
    file: str = ""
    directory: str = ""

    def __repr__(self) -> str:
        layers = " → ".join(self.layer_names)
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


def _by_type(*specs: Any) -> dict[str, Any]:
    return {spec.type: spec for spec in specs}


LAYER_SPECS: dict[str, type[LayerSpec]] = _by_type(
    LinearSpec,
    IdentitySpec,
    ReLUSpec,
    LeakyReLUSpec,
    SigmoidSpec,
    TanhSpec,
    SoftplusSpec,
    ELUSpec,
    SiLUSpec,
    GELUSpec,
    SoftmaxSpec,
    LogSoftmaxSpec,
    DropoutSpec,
)
LOSS_SPECS: dict[str, type[LossSpec]] = _by_type(
    MSESpec, L1Spec, HuberSpec, BCESpec, BCEWithLogitsSpec, CrossEntropySpec, NLLSpec
)
OPTIMIZER_SPECS: dict[str, type[OptimizerSpec]] = _by_type(
    SGDSpec, AdamSpec, AdamWSpec, AdagradSpec, RMSpropSpec
)
SCHEDULE_SPECS: dict[str, type[ScheduleSpec]] = _by_type(
    ConstantSpec, StepSpec, ExponentialSpec, CosineSpec, LinearWarmupSpec
)
