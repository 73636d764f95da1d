"""The formulas of the losses as they are printed, read again and evaluated: they are the numbers.

A formula is read as a person reads it: what stands side by side is multiplied, Σ adds up what
follows it, over the rows of the batch where it stands first, over the classes as Σⱼ.
"""

import itertools
import re

import numpy as np
import pytest

from engine.nn.class_losses import NLL, CrossEntropy
from engine.nn.element_losses import BCE, L1, MSE, BCEWithLogits, Huber
from engine.nn.loss import Loss
from tests.engine.small_experiments import program

ROWS, CLASSES = 5, 3
RNG = np.random.default_rng(7)
LOGITS = RNG.normal(size=(ROWS, CLASSES)) * 2
SHARES = RNG.uniform(0.1, 1.0, size=(ROWS, CLASSES))  # rows that do not add up to 1
INDICES = np.array([2, 0, 1, 1, 0])
WEIGHTS = (0.5, 2.0, 1.25)
TOKEN = re.compile(
    r"log softmax|softmax|onehot|huber|clip|sign|log|σ|Σⱼ|Σ|w⁺|ŷ|[yqwKN]|½|[\d.]+|\S"
)
ONES = {"log", "softmax", "onehot", "huber", "clip", "sign", "σ", "log softmax"}
Value = np.ndarray | float


def softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z - z.max()) / np.exp(z - z.max()).sum()


def picked(values: np.ndarray, index: Value) -> float:
    """An element; of a class that there is not 0, which an ignored row is multiplied with."""
    return float(values[int(index)]) if 0 <= int(index) < len(values) else 0.0


class Reader:
    """Evaluates the text of a formula for one row: names are arrays (K,) or numbers."""

    def __init__(self, text: str, names: dict[str, Value]) -> None:
        self.tokens, self.at, self.names = TOKEN.findall(text), 0, names

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.next
        assert expected in ("", token), (expected, self.tokens, self.at)
        self.at += 1
        return token

    def sum(self) -> Value:
        value = self.product()
        while self.next in ("+", "−"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self) -> Value:
        value = self.factor()
        while self.next and self.next not in ("+", "−", ")", "]", "|", ",", "≠", "ⱼ"):
            if self.next in ("/", "⊙"):
                value = value / self.factor() if self.take() == "/" else value * self.factor()
            else:
                value = value * self.factor()
        return value

    def factor(self) -> Value:
        token = self.take()
        if token == "−":
            return -self.product()
        if token == "Σⱼ":
            return float(np.sum(self.product()))
        if token in ONES:
            return self.postfixed(self.function(token))
        if token in ("(", "["):
            value = self.sum()
            if self.next == "≠":
                self.take()
                value = float(value != self.sum())
            self.take(")" if token == "(" else "]")
            return self.postfixed(value)
        if token == "|":
            value = np.abs(self.sum())
            self.take("|")
            return value
        if token == "½":
            return 0.5
        return self.postfixed(self.names[token] if token in self.names else float(token))

    def function(self, name: str) -> Value:
        if self.next == "(":
            self.take()
            value = self.sum()
            if name == "clip":  # clip(ŷ − y, ±1)
                assert [self.take() for _ in range(3)] == [",", "±", "1"]
            self.take(")")
        else:
            value = self.factor()
        z = np.asarray(value)
        match name:
            case "log":
                return np.log(z)
            case "softmax":
                return softmax(z)
            case "log softmax":
                return np.log(softmax(z))
            case "onehot":
                return np.array([picked(row, float(z)) for row in np.eye(CLASSES)])
            case "σ":
                return 1 / (1 + np.exp(-z))
            case "sign":
                return np.sign(z)
            case "clip":
                return np.clip(z, -1, 1)
            case _:
                return np.where(np.abs(z) <= 1, z**2 / 2, np.abs(z) - 0.5)

    def postfixed(self, value: Value) -> Value:
        while self.next in ("²", "ⱼ") or (self.next == "[" and isinstance(value, np.ndarray)):
            token = self.take()
            if token == "²":
                value = value**2
            elif token == "[":
                value = picked(value, self.sum())
                self.take("]")
        return value


def read(text: str, names: dict[str, Value]) -> Value:
    """The value of a formula for one row, after what it says of q."""
    text, _, q = text.partition(", q = ")
    if q:
        names = names | {"q": read(q, names)}
    reader = Reader(text, names)
    value = reader.sum()
    assert reader.at == len(reader.tokens), (text, reader.tokens[reader.at :])
    return value


def evaluated(loss: Loss, yhat: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """The loss and its gradient (N, K) as the texts say."""
    known: dict[str, Value] = {"N": len(y), "K": CLASSES}
    for name, given in (
        ("w", getattr(loss, "weight", ())),
        ("w⁺", getattr(loss, "pos_weight", ())),
    ):
        if given:
            known[name] = np.array(given)
    rows = [
        known | {"ŷ": yhat[i], "y": y[i] if y.ndim == 2 else float(y[i])} for i in range(len(y))
    ]

    def divided(text: str) -> tuple[str, float]:
        """What follows the factor before the sum, and that factor."""
        factor = 0.5 if text.startswith("½ ") else 1.0
        text = text.removeprefix("½ ")
        if not text.startswith("1/"):
            return text, factor
        # Where the divisor ends is not to be seen in the text: 1/Σ[y ≠ −100] w[y] w[y] (…).
        divisor = "N" if loss.reduction == "batch_mean" else loss.counted_text()
        assert text.startswith(f"1/{divisor} ")
        if divisor.startswith("Σ"):
            factor /= sum(float(read(divisor[1:], row)) for row in rows)
        else:
            factor /= float(read(divisor, rows[0]))
        return text.removeprefix(f"1/{divisor} "), factor

    terms, factor = divided(loss.formula("ŷ", "y"))
    value = factor * sum(float(np.sum(read(terms.removeprefix("Σ "), row))) for row in rows)
    slopes, by = divided(loss.gradient_formula("ŷ", "y"))
    return value, by * np.array([read(slopes, row) for row in rows])


def losses() -> list[tuple[Loss, np.ndarray, np.ndarray]]:
    """Every loss with every option, with a prediction and a target."""
    found: list[tuple[Loss, np.ndarray, np.ndarray]] = []
    within = 1 / (1 + np.exp(-LOGITS))
    for reduction, scale in itertools.product(("sum", "mean", "batch_mean"), (1.0, 0.5)):
        common = {"reduction": reduction, "scale": scale}
        found += [(cls(**common), LOGITS, SHARES) for cls in (MSE, L1, Huber)]
        for weight in ((), WEIGHTS):
            found.append((BCE(weight=weight, **common), within, SHARES))
            for positive in ((), WEIGHTS[::-1]):
                made = BCEWithLogits(weight=weight, pos_weight=positive, **common)
                found.append((made, LOGITS, SHARES))
            for ignored in (None, 1, -100):
                kept = np.where(INDICES == 1, ignored, INDICES) if ignored else INDICES
                options = {"weight": weight, "ignore_index": ignored, **common}
                found.append((NLL(**options), np.log(within), kept))
                for smoothing in (0.0, 0.1):
                    found.append((CrossEntropy(label_smoothing=smoothing, **options), LOGITS, kept))
            for smoothing in (0.0, 0.1):
                made = CrossEntropy(
                    weight=weight, label_smoothing=smoothing, of_rows=True, **common
                )
                found.append((made, LOGITS, SHARES))
    return found


def name_of(each: object) -> str:
    return f"{each.formula('ŷ', 'y')}" if isinstance(each, Loss) else ""


@pytest.mark.parametrize(("loss", "yhat", "y"), losses(), ids=name_of)
def test_what_is_printed_is_what_is_computed(loss: Loss, yhat: np.ndarray, y: np.ndarray) -> None:
    value, gradient = evaluated(loss, yhat, y)
    assert value == pytest.approx(float(loss.value(yhat, y)), rel=1e-12)
    np.testing.assert_allclose(gradient, loss.pull(yhat, y), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("y", "value", "slope"),
    [
        (
            [[0.2, 0.8], [1.0, 0.0]],
            "ℓ = 1/N Σ −Σⱼ yⱼ (log softmax ŷ)ⱼ",
            "∂ℓ/∂ŷ = 1/N (softmax(ŷ) Σⱼ yⱼ − y)",
        ),
        (
            [1, 0],
            "ℓ = 1/N Σ −(log softmax ŷ)[y]",
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
