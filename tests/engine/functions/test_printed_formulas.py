"""Every formula that is printed, read again as text and evaluated, is the number it stands for.

Forward, backward, Jacobian and definition of every layer, value and gradient of every loss, of a
batch and of one sample, with every option.
"""

import dataclasses
import itertools

import numpy as np
import pytest

from engine.formulas.elements import walk
from engine.formulas.named import Apply
from engine.formulas.tree import Formula, Rows, Size, Symbol
from engine.functions.function import Function, gradient, terms
from engine.functions.losses.cross_entropy import CrossEntropy
from engine.functions.losses.loss import Loss
from engine.nn.layer import Layer
from engine.nn.table import LAYERS, LOSSES
from tests.engine.formula_reader import read
from tests.engine.small_experiments import program

ROWS, CLASSES = 5, 3
RNG = np.random.default_rng(7)
LOGITS = RNG.normal(size=(ROWS, CLASSES)) * 2
FOUR = np.hstack([LOGITS, -LOGITS[:, :1]])
SHARES = RNG.uniform(0.1, 1.0, size=(ROWS, CLASSES))  # rows that do not add up to 1
INDICES = np.array([2, 0, 1, 1, 0])
WEIGHTS = (0.5, 2.0, 1.25)
YHAT, K = Symbol("ŷ"), Size("K")
SYMBOLS = {"input": "z", "output": "a", "weight": "W", "bias": "b", "mask": "m"}
OPTIONS = {
    "linear": ({"bias": False},),
    "dropout": ({"p": 0.25},),
    "gelu": ({"approximate": "tanh"},),
    "hard_tanh": ({"min_val": -0.5, "max_val": 2.0},),
    "prelu": ({"num_parameters": CLASSES},),
}
# other values of options that are numbers: one after the other, and all at once
NUMBERS = {"negative_slope": 0.2, "beta": 2.0, "threshold": 1.5, "alpha": 0.7, "delta": 0.3}


def settings(kind: type) -> list[dict[str, float]]:
    """The options of a function or loss with which its formulas are read."""
    names = [field.name for field in dataclasses.fields(kind) if field.name in NUMBERS]
    found = [{name: NUMBERS[name]} for name in names]
    both = [{name: NUMBERS[name] for name in names}] if len(names) > 1 else []
    return [{}, *found, *both]


def layers() -> list[Layer]:
    """Every layer of three inputs, or four where they are halved, with every option."""
    inputs = {kind: 4 if kind == "glu" else CLASSES for kind in LAYERS}
    return [
        row(inputs[kind], 2 if row.resizes else row.function.outputs(inputs[kind]), **options)
        for kind, row in LAYERS.items()
        for options in (*settings(row.function), *OPTIONS.get(kind, ()))
    ]


LAYER_CASES = layers()


def of_layer(layer: Layer) -> dict[str, np.ndarray]:
    """The tensors of a batch by role, the gradient of the output as ``grad``."""
    rng = np.random.default_rng(3)
    given = {
        "input": FOUR if layer.inputs == 4 else LOGITS,
        "mask": np.array([[2.0, 0.0, 2.0]] * ROWS),
    }
    given |= {role: rng.normal(size=shape) for role, shape in layer.parameters.items()}
    output = layer.forward(*(given[role] for role in layer.reads))
    output = output * given["mask"] if layer.type == "dropout" else output
    return given | {"output": output, "grad": rng.normal(size=output.shape)}


def values(layer: Layer, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same by the symbols that the formulas name."""
    named = {symbol: given[role] for role, symbol in SYMBOLS.items() if role in given}
    return named | {gradient(Symbol("a")).text(): given["grad"]}


def evaluated(layer: Layer, text: str, given: dict[str, np.ndarray]) -> np.ndarray:
    """A printed formula of a batch; of all but linear layers row by row."""
    named = values(layer, given)
    if layer.parameters:
        found = np.asarray(read(text, named, matrix=True))
        return np.sum(found, keepdims=True).reshape(1) if text.startswith("Σ ") else found
    rows = [{name: value[i] for name, value in named.items()} for i in range(ROWS)]
    return np.array([read(text, {**row, "K": CLASSES}) for row in rows])


def ids(each: object) -> str:
    return repr(each.function) if isinstance(each, Layer) else ""


@pytest.mark.parametrize("layer", LAYER_CASES, ids=ids)
def test_forward(layer: Layer) -> None:
    given = of_layer(layer)
    text = layer.formula(SYMBOLS).split(", m =")[0]
    np.testing.assert_allclose(evaluated(layer, text, given), given["output"], rtol=1e-12)


@pytest.mark.parametrize("layer", LAYER_CASES, ids=ids)
def test_backward(layer: Layer) -> None:
    given = of_layer(layer)
    rows = Rows({name: np.atleast_2d(value) for name, value in values(layer, given).items()})
    for vjp in layer.vjps(SYMBOLS):
        pulled = vjp.pull(given["grad"], *(given[role] for role in vjp.reads))
        text = evaluated(layer, vjp.formula.text(), given)
        np.testing.assert_allclose(text, pulled, rtol=1e-11, atol=1e-15)
        tree = vjp.formula.value(rows).reshape(pulled.shape)
        np.testing.assert_allclose(tree, pulled, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("layer", LAYER_CASES, ids=ids)
def test_the_jacobian_of_one_sample(layer: Layer) -> None:
    """Column by column it is what backward makes of a one: in numbers the transposed pull."""
    given = of_layer(layer)
    size = layer.outputs
    formula = layer.function.derivative(terms(SYMBOLS), Size("K"))
    (back,) = (vjp for vjp in layer.vjps(SYMBOLS) if vjp.wrt == "input")
    for i in range(ROWS):
        one = {role: value[i : i + 1] for role, value in given.items() if len(value) == ROWS}
        one |= {role: given[role] for role in layer.parameters}
        reads = [one[role] for role in back.reads]
        pulled = np.vstack([back.pull(row[None, :], *reads) for row in np.eye(size)])
        named = {SYMBOLS[role]: value.T for role, value in one.items() if role in SYMBOLS}
        named |= {"W": given.get("weight"), "I": np.eye(size), "K": size}
        np.testing.assert_allclose(matrix(formula, named), pulled, rtol=1e-11, atol=1e-15)


def matrix(formula: Formula, named: dict[str, np.ndarray]) -> np.ndarray:
    """A printed Jacobian: a matrix as it stands, or a rule for each i and j."""
    text = formula.text()
    if "i = j" not in text:
        return np.asarray(read(text, named, matrix=True))
    places = range(int(named["K"]))
    vectors = {name: np.ravel(v) for name, v in named.items() if v is not None and name != "K"}
    vectors = {name: v.item() if v.size == 1 else v for name, v in vectors.items()}
    return np.array([[read(text, {**vectors, "i": i, "j": j}) for j in places] for i in places])


@pytest.mark.parametrize("layer", LAYER_CASES, ids=ids)
def test_what_stands_for_a_name(layer: Layer) -> None:
    """σ(z) = 1 / (1 + exp(−z)): the right-hand side is the function of the left."""
    given = terms(SYMBOLS)
    formulas = [layer.function.formula(given), *(vjp.formula for vjp in layer.vjps(SYMBOLS))]
    for name in {part.function for f in formulas for part in walk(f) if isinstance(part, Apply)}:
        check_definition(name.definition, name.evaluate(LOGITS))


def check_definition(definition: str, expected: np.ndarray) -> None:
    if not definition or definition.startswith(("Φ", "left")):  # in words
        return
    left, _, right = definition.partition(" = ")
    named = [{"z": row, "d": row, "K": CLASSES} for row in LOGITS]
    if left.endswith("ᵢ"):
        found = [[read(right, {**row, "i": i}) for i in range(CLASSES)] for row in named]
    else:
        found = [read(right, row) for row in named]
    np.testing.assert_allclose(np.array(found), expected, rtol=1e-12)


@pytest.mark.parametrize(("kind", "option"), [("huber", "delta"), ("smooth_l1", "beta")])
def test_the_functions_of_a_difference(kind: str, option: str) -> None:
    for value in (1.0, 0.3):
        (name,) = {
            part.function
            for part in walk(LOSSES[kind](**{option: value}).formula(YHAT))
            if isinstance(part, Apply)
        }
        check_definition(name.definition, name.evaluate(LOGITS))


def losses() -> list[tuple[Loss, np.ndarray, np.ndarray]]:
    """Every loss with every option, with a prediction and a target."""
    found: list[tuple[Loss, np.ndarray, np.ndarray]] = []
    for reduction, scale in itertools.product(("sum", "mean", "batch_mean"), (1.0, 0.5, 2.5)):
        common = {"reduction": reduction, "scale": scale}
        for cls in LOSSES.values():
            found += [(cls(**given), *at) for given, at in options_of(cls, common)]
    return found


def options_of(cls: type[Loss], common: dict[str, object]):
    """The options of a loss, each with a prediction and a target for it."""
    fields = {field.name for field in dataclasses.fields(cls)}
    within = 1 / (1 + np.exp(-LOGITS))
    probabilities = cls.targets == (0.0, 1.0) and cls.boundary == 0.5
    logs = {"nll": np.log(within)}
    yhat = within if probabilities else logs.get(cls.type, LOGITS)
    many = {
        "weight": ((), WEIGHTS),
        "pos_weight": ((), WEIGHTS[::-1]),
        "ignore_index": (None, 1, -100),
        "label_smoothing": (0.0, 0.1),
        "of_rows": (False, True),
        "delta": (1.0, 0.3),
        "beta": (1.0, 0.3, 0.0),
        "margin": (1.0, 0.5, -0.25),
        "p": (1, 2),
        "log_target": (False, True),
        "var": (1.0, 0.25, 0.0),
        "full": (False, True),
        "eps": (1e-6, 0.01),
    }
    known = set(many) | {"reduction", "scale"}
    assert fields <= known, f"an option that no formula was read with: {fields - known}"
    names = [name for name in many if name in fields]
    for chosen in itertools.product(*(many[name] for name in names)):
        given = dict(zip(names, chosen, strict=True))
        ignored = given.get("ignore_index")
        if cls.type == "cosine":  # long rows: the ε added to their squares is not written
            yhat, y = LOGITS * 5, SHARES * 5
        elif cls.labels:
            y = np.where(SHARES > 0.5, 1.0, -1.0)
        elif cls.takes_classes and not given.get("of_rows"):
            y = np.where(INDICES == 1, ignored, INDICES) if ignored else INDICES
        else:
            y = SHARES
        yield {**common, **given}, (yhat, y)


LOSS_CASES = losses()


def rows_of(loss: Loss, yhat: np.ndarray, y: np.ndarray) -> list[dict[str, object]]:
    """The values of the names in the formulas of a loss, for each row of a batch."""
    known = {name: np.array(numbers) for name, numbers in loss.constants.items()}
    known |= {"N": len(y), "K": CLASSES}
    return [
        {**known, "ŷ": yhat[i], "y": y[i] if y.ndim == 2 else float(y[i])} for i in range(len(y))
    ]


def divided(text: str, rows: list[dict[str, object]]) -> tuple[str, float]:
    """What follows the factors before the sum, ½ and 1/N, and their product."""
    factor = 1.0
    for scale in ("½", "2.5"):
        if text.startswith(f"{scale} "):
            text, factor = text.removeprefix(f"{scale} "), factor * float(read(scale, {}))
    if not text.startswith("1/"):
        return text, factor
    below, rest = text[2:].split(") ", 1) if text[2] == "(" else text[2:].split(" ", 1)
    below = below.removeprefix("(")
    total = [float(read(below.removeprefix("Σ "), row)) for row in rows]
    return rest, factor / (sum(total) if below.startswith("Σ") else total[0])


def named(each: object) -> str:
    return f"{each.type} {each.formula(YHAT).text()}" if isinstance(each, Loss) else ""


@pytest.mark.parametrize(("loss", "yhat", "y"), LOSS_CASES, ids=named)
def test_a_loss_of_a_batch(loss: Loss, yhat: np.ndarray, y: np.ndarray) -> None:
    rows = rows_of(loss, yhat, y)
    value, pulled = float(loss.value(yhat, y)), loss.pull(yhat, y)
    text, factor = divided(loss.formula(YHAT).text(), rows)
    assert text.startswith("Σ ")
    read_value = factor * sum(float(np.sum(read(text[2:], row))) for row in rows)
    assert read_value == pytest.approx(value, rel=1e-12)
    text, factor = divided(loss.gradient_formula(YHAT).text(), rows)
    slopes = factor * np.array([read(text, row) for row in rows])
    np.testing.assert_allclose(slopes, pulled, rtol=1e-12, atol=1e-15)
    together = Rows({"ŷ": yhat, "y": y if y.ndim == 2 else y[:, None].astype(float)})
    together |= {name: np.array([numbers]) for name, numbers in loss.constants.items()}
    together |= {"N": np.array([[float(len(y))]]), "K": np.array([[float(CLASSES)]])}
    tree = loss.formula(YHAT).value(together).item()
    assert tree == pytest.approx(value, rel=1e-12)
    tree = loss.gradient_formula(YHAT).value(together)
    np.testing.assert_allclose(tree, pulled, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("loss", "yhat", "y"), LOSS_CASES, ids=named)
def test_a_loss_of_one_sample(loss: Loss, yhat: np.ndarray, y: np.ndarray) -> None:
    value, slope = loss.sample_formula(YHAT, K).text(), loss.sample_slope(YHAT, K).text()
    for i, row in enumerate(rows_of(loss, yhat, y)):
        one, target = yhat[i : i + 1], y[i : i + 1]
        if not loss.divisor(one, target):
            continue  # the mean of an ignored row is NaN, and its formula 0/0
        assert read(value, row) == pytest.approx(float(loss.value(one, target)), rel=1e-12)
        found = [float(read(slope, {**row, "i": i})) for i in range(CLASSES)]
        np.testing.assert_allclose([found], loss.pull(one, target), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("y", "value", "slope"),
    [
        (
            [[0.2, 0.8], [1.0, 0.0]],
            "ℓ = 1/N Σ −Σⱼ yⱼ log softmax(ŷ)ⱼ",
            "∂ℓ/∂ŷ = 1/N (softmax(ŷ) Σⱼ yⱼ − y)",
        ),
        (
            [1, 0],
            "ℓ = 1/N Σ −log softmax(ŷ)[y]",
            "∂ℓ/∂ŷ = 1/N (softmax(ŷ) − onehot(y))",
        ),
    ],
)
def test_an_experiment_prints_the_formula_for_its_own_targets(
    y: list[object], value: str, slope: str
) -> None:
    made = program(
        data={"x": [[1.0, 2.0], [0.5, -1.0]], "y": y},
        layers=[{"type": "linear", "out": 2}],
        loss={"type": "cross_entropy"},
    )
    formulas = {op.key: op.formula for op in made.ops}
    assert formulas["loss:loss"] == value
    assert formulas["backward:linear1.out.grad"] == slope


def test_a_wrong_formula_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader is no echo: a factor forgotten in the text, not in the number, is seen."""
    monkeypatch.setattr(CrossEntropy, "share", lambda self, size, by: self.target(size, by))
    weighted = CrossEntropy(weight=WEIGHTS, label_smoothing=0.1)
    with pytest.raises(AssertionError):
        test_a_loss_of_a_batch(weighted, LOGITS, INDICES)


def test_every_function_is_read() -> None:
    assert {case.type for case in LAYER_CASES} == set(LAYERS)
    assert {case[0].type for case in LOSS_CASES} == set(LOSSES)
    for row in LAYERS.values():
        options = {field.name for field in dataclasses.fields(row.function)}
        tried = {name for given in OPTIONS.get(row.function.type, ()) for name in given}
        tried |= set(NUMBERS)
        assert options <= tried, f"an option that no formula was read with: {options - tried}"
    assert issubclass(LAYERS["relu"].function, Function)
