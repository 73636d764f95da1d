"""What people write who know other libraries, and the field that they mean; fields out of place."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from engine.experiment.spec import ClipSpec, DataSpec, LinearSpec, Table, TrainingSpec
from engine.experiment.spec_tables import LAYER_SPECS, LOSS_SPECS, OPTIMIZER_SPECS, SCHEDULE_SPECS
from engine.wording import clipped, listed, nearest, shown

# A field of ours, and what others call it. A word may stand in several lines: the first field that
# the table has is meant. Compared in small letters without _ and -.
FIELDS = {
    "lr": "learning_rate rate step_size alpha eta gamma",
    "out": "units hidden neurons nodes size width outputs output out_features out_channels channels"
    " filters features dim output_size output_dim outs hidden_units hidden_size",
    "hidden": "units hidden_size out size",
    "heads": "num_heads n_heads",
    "layers": "layer num_layers n_layers network model architecture",
    "kernel": "kernel_size window pool_size",
    "csv": "file path filename file_name csv_file source dataset data table url",
    "inputs": "input features feature columns x_columns input_columns predictors feature_columns",
    "targets": "target label labels output outputs y_column target_column class_column  response",
    "batch_size": "batch minibatch mini_batch batches bs minibatch_size",
    "epochs": "epoch num_epochs n_epochs max_epochs iterations steps passes",
    "seed": "random_state random_seed rng",
    "standardize": "normalize normalise standardise scale scaling scaler",
    "validation": "val split test_size validation_split validation_size test valid holdout",
    "separator": "sep delimiter delim",
    "one_hot": "onehot categorical to_categorical",
    "missing": "na nan na_values fill",
    "type": "kind function fn class activation loss algorithm method",
    "bias": "use_bias biases b intercept",
    "weight": "weights w kernel coefficients pos_weights class_weights class_weight",
    "init": "initializer initialization kernel_initializer weight_init initialisation",
    "frozen": "freeze trainable requires_grad",
    "p": "rate prob probability dropout drop drop_prob",
    "negative_slope": "slope alpha leak",
    "weight_decay": "l2 wd decay regularization regularisation lambda",
    "betas": "beta beta1 beta2",
    "momentum": "mu mom",
    "eps": "epsilon",
    "reduction": "reduce average size_average",
    "label_smoothing": "smoothing",
    "dtype": "precision float_type",
    "optimizer": "optimiser optim solver",
    "loss": "criterion loss_function loss_fn objective cost error",
    "training": "train fit trainer run",
    "data": "dataset inputs",
    "norm": "max_norm clipnorm",
    "value": "clipvalue",
    "name": "title",
}
KINDS = {
    "linear": "dense fc fully_connected affine perceptron feedforward full lin",
    "sigmoid": "logistic sigm",
    "identity": "none id pass",
    "leaky_relu": "lrelu leaky",
    "silu": "swish",
    "conv2d": "conv convolution conv_2d",
    "max_pool2d": "maxpool max_pool pooling pool maxpooling maxpooling2d max_pooling",
    "avg_pool2d": "avgpool avg_pool average_pooling mean_pool",
    "batch_norm1d": "batchnorm bn batch_norm batch_normalization batchnormalization",
    "layer_norm": "layernorm ln",
    "flatten": "reshape_flat flat",
    "cross_entropy": "ce crossentropy categorical_crossentropy sparse_categorical_crossentropy"
    " softmax_cross_entropy softmax_crossentropy categorical_cross_entropy xent",
    "bce": "binary_crossentropy binary_cross_entropy log_loss logloss",
    "bce_with_logits": "binary_cross_entropy_with_logits sigmoid_cross_entropy",
    "mse": "mean_squared_error mean_square_error squared_error squared l2 quadratic sse"
    " least_squares",
    "l1": "mae mean_absolute_error absolute absolute_error",
    "huber": "smooth_l1 smoothl1",
    "nll": "negative_log_likelihood",
    "sgd": "gd gradient_descent stochastic_gradient_descent momentum nesterov",
    "adamw": "adam_w",
}
REMEDIES = {
    "activation": 'an activation is a layer of its own: below it [[layers]] with type = {value}',
    "act": 'an activation is a layer of its own: below it [[layers]] with type = {value}',
    "in": "leave it out: the number of inputs is that of the outputs before",
    "in_features": "leave it out: the number of inputs is that of the outputs before",
    "in_channels": "leave it out: the number of inputs is that of the outputs before",
    "input_size": "leave it out: the number of inputs is that of the outputs before",
    "input_dim": "leave it out: the number of inputs is that of the outputs before",
    "input_shape": "leave it out: the number of inputs is that of the outputs before",
    "inputs": "leave it out: the number of inputs is that of the outputs before",
}  # fmt: skip


def named(*specs: type[Table]) -> tuple[str, ...]:
    """The fields of structs, each once."""
    return tuple(dict.fromkeys(f.name for spec in specs for f in msgspec.structs.fields(spec)))


TOP = ("name", "description", "seed", "dtype")
HEADERS = {"layers": "[[layers]]"} | {
    name: f"[{name}]" for name in ("data", "loss", "optimizer", "schedule", "clip", "training")
}


@lru_cache(maxsize=1)
def tables() -> dict[str, tuple[str, ...]]:
    """The fields of each kind of table; made for a file that is wrong, not with the module."""
    return {
        "[optimizer]": named(*OPTIMIZER_SPECS.values()),
        "[training]": named(TrainingSpec),
        "[data]": named(DataSpec),
        "[loss]": named(*LOSS_SPECS.values()),
        "a layer, [[layers]]": named(LinearSpec),
        "[schedule]": named(*SCHEDULE_SPECS.values()),
        "[clip]": named(ClipSpec),
    }


def types() -> dict[str, Collection[str]]:
    """The types that each kind of table may have."""
    return {
        "[[layers]]": LAYER_SPECS,
        "[loss]": LOSS_SPECS,
        "[optimizer]": OPTIMIZER_SPECS,
        "[schedule]": SCHEDULE_SPECS,
    }


def plain(word: str) -> str:
    """A word in small letters, without what stands between its parts."""
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


def by_word(fields: Mapping[str, str]) -> dict[str, list[str]]:
    """What each word may mean, in the order of the table."""
    found: dict[str, list[str]] = {}
    for field, words in fields.items():
        for word in (field, *words.split()):
            found.setdefault(plain(word), []).append(field)
    return found


def words_for(field: str) -> set[str]:
    """What else a field is called, plain."""
    return {plain(word) for word in FIELDS[field].split()}


FIELD_WORDS, KIND_WORDS = by_word(FIELDS), by_word(KINDS)


def meant(key: str, value: Any, allowed: Collection[str]) -> str | None:
    """The field that is meant by another word for it; None where no field is."""
    found = [field for field in FIELD_WORDS.get(plain(key), ()) if field in allowed]
    if "csv" in found and isinstance(value, str) and value.endswith(".npz"):
        return "npz"
    return found[0] if found else None


def is_names(value: Any) -> bool:
    """Whether a value is a name, or a list of names and nothing else."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, str) for one in value)
    return isinstance(value, str)


def unknown_field(key: str, raw: Mapping[str, Any], path: str, allowed: Collection[str]) -> str:
    """What to write instead of a field that a table ``raw`` does not have."""
    value = raw[key]
    fitting = meant(key, value, [field for field in allowed if field not in raw])
    if fitting is not None:
        return f"unknown field; did you mean {fitting!r}? allowed: {listed(list(allowed))}"
    if path.startswith("layers[") and key in REMEDIES:
        return f"unknown field; {REMEDIES[key].format(value=as_toml(value))}"
    return f"unknown field; {place_of(key, value, path) or nearest(key, allowed)}"


def as_toml(value: Any) -> str:
    """A short value as TOML has it."""
    if isinstance(value, list):
        return clipped(f"[{', '.join(map(as_toml, value))}]")
    return shown(value) if not isinstance(value, str) else f'"{shown(value)[1:-1]}"'


def written(raw: Any, path: str) -> str:
    """How a table with a type is written for somebody who wrote its type alone."""
    if not isinstance(raw, str):
        return f"; write [{path}], in single brackets" if isinstance(raw, list) else ""
    header = "[[layers]]" if path.startswith("layers[") else f"[{path}]"
    return f": write {header}, and below it type = {as_toml(raw)}"


def place_of(key: str, value: Any, path: str) -> str:
    """Where a field belongs that stands in another table; empty where it is one of none."""
    if path and (top := meant(key, value, TOP) or (key if key in TOP else None)):
        return f"{top} belongs above the first [table] of the file"
    header = HEADERS.get(meant(key, value, HEADERS) or "")
    if header is not None and isinstance(value, dict | list):
        return f"did you mean {header}?"
    for table, fields in tables().items():
        field = key if key in fields else meant(key, value, fields)
        if field is not None and field != "type" and f"[{path}]" != table:
            said = field if field == key else f"did you mean {field!r}? it"
            return f"{said} belongs in {table}"
    return ""


def meant_type(kind: str, allowed: Collection[str]) -> str:
    """The type that is meant by another word for it; empty where none is."""
    return next((word for word in KIND_WORDS.get(plain(kind), ()) if word in allowed), "")


def unknown_type(kind: str, allowed: Collection[str]) -> str:
    """What to write instead of a type that there is not."""
    words = (kind, *KIND_WORDS.get(plain(kind), ()))
    if fitting := meant_type(kind, allowed):
        return f"did you mean {fitting!r}? allowed: {listed(list(allowed))}"
    for table, kinds in types().items():
        for word in words:
            if word in kinds:
                return f"{word} is a type for {table}; allowed here: {listed(list(allowed))}"
    return nearest(kind, allowed)


def renamed(raw: Mapping[str, Any], allowed: Collection[str]) -> dict[str, Any]:
    """A table with its fields as they are meant, so that none of them is missing as well."""
    found = dict(raw)
    for key, value in raw.items():
        if key not in allowed and (field := meant(key, value, allowed)) and field not in found:
            found[field] = found.pop(key)
    return found
