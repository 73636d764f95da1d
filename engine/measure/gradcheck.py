"""The gradients of the backward pass against central differences of the loss.

(ℓ(θ + h e) − ℓ(θ − h e)) / 2h, with h = ∛ε · max(1, |θ|): there the error of the difference, h²,
and that of rounding, ε/h, are about equally large (Press et al., Numerical Recipes, 5.7). All of it
runs in float64: a float32 experiment's parameters and batch are widened first, so that its
equations are checked and not its rounding. Nothing that is passed in is changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, Shape
from engine.errors import GradstepError
from engine.measure.evaluator import Evaluator
from engine.program.program import Program
from engine.streams import stream

EVERY = "every element"
DIRECTIONS = "random directions"
RELATIVE = 1e-5  # far above the error of the difference, ε^⅔ ≈ 4e-11; far below a wrong factor
ROUNDING = 20  # how many roundings of the loss the difference may be off by
SHRINKS = 4  # how often a step that crosses a kink is divided by 8 to find a smooth place
MAX_WORK = 2**31  # multiply-adds of all forward passes together, a few seconds
MAX_PASSES = 20_000  # forward passes: for a small network calls cost more than multiply-adds
TRIALS = 8  # directions for each parameter
EPSILON = float(np.finfo(np.float64).eps)
STEP = EPSILON ** (1 / 3)  # h for |θ| ≤ 1, 6e-6
NONE = "nothing to check: no parameters, and [training] input_gradient does not ask for x.grad"
CUT_OFF = "bce's gradient is cut off where ŷ(1 − ŷ) < 1e-12, as PyTorch's is"


@dataclass(frozen=True, slots=True)
class ParameterCheck:
    """One parameter: how it was checked, and where the two numbers are furthest apart.

    ``index`` is the worst element, or the number of the worst direction as ``(k,)``; ``step`` is
    h there. ``relative_error`` is |analytic − numeric| / max(|analytic|, |numeric|, f), with f so
    large that the rounding of the loss alone stays within ``tolerance``. ``kinks`` counts what is
    left out because the loss bends within the smallest step; ``ratio`` is analytic/numeric when it
    is the same everywhere but not 1.
    """

    name: str
    shape: Shape
    mode: str
    checked: int
    kinks: int
    step: float
    tolerance: float
    index: tuple[int, ...]
    analytic: float
    numeric: float
    relative_error: float
    ratio: float | None
    passed: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class GradCheck:
    """The gradient check of all parameters of a program at one point; ``loss`` is in float64.

    ``dtype`` is the experiment's own, in which it is not checked.
    """

    loss: float
    mode: str
    dtype: str
    parameters: tuple[ParameterCheck, ...]

    def __repr__(self) -> str:
        wrong = [one.name for one in self.parameters if not one.passed]
        said = f"wrong: {', '.join(wrong)}" if wrong else "passed"
        return f"<GradCheck of {len(self.parameters)} parameters, {self.mode}: {said}>"

    @property
    def passed(self) -> bool:
        """Whether every gradient agrees within its tolerance."""
        return all(one.passed for one in self.parameters)


@dataclass(frozen=True, slots=True)
class Difference:
    """A central difference of the loss along a direction.

    ``slope`` is the directional derivative and ``step`` h; ``noise`` is how far rounding may move
    the slope; ``smooth`` is False where the loss has a kink between the two ends.
    """

    slope: float
    step: float
    noise: float
    smooth: bool


@dataclass(frozen=True, eq=False)
class Comparison:
    """Analytic and numeric derivatives of one parameter, element by element or by direction.

    All five are of shape (m,), for m elements or directions; ``noise`` is how far the rounding of
    the loss may move the numeric one.
    """

    analytic: Array
    numeric: Array
    step: Array
    noise: Array
    smooth: NDArray[np.bool_]

    @classmethod
    def of(cls, analytic: Array, found: Sequence[Difference]) -> "Comparison":
        """The m differences as columns, beside the analytic derivatives (m,)."""
        columns = [[one.slope, one.step, one.noise] for one in found]
        slope, step, noise = np.array(columns).reshape(-1, 3).T
        return cls(analytic, slope, step, noise, np.array([one.smooth for one in found], bool))


def check_gradients(
    program: Program,
    tensors: Mapping[str, Array],
    *,
    analytic: Mapping[str, Array] | None = None,
    mode: str | None = None,
    tolerance: float = RELATIVE,
    seed: int = 0,
) -> GradCheck:
    """Check the gradient of every parameter at these tensors (``x``, ``y`` and the parameters).

    Those of x and y are checked where the program computes them.

    ``analytic`` gives gradients by parameter instead of those of the program's own backward pass.
    ``mode`` is "every element" or "random directions", by default the former unless that is too
    much work; ``seed`` is of the directions. Raises GradstepError where the experiment skips a
    phase that is needed, for another mode, for gradients that are missing or misshapen, and where
    there are none at all.
    """
    if not gradients_of(program):
        raise GradstepError(NONE)
    evaluator = Evaluator(program, tensors)
    with np.errstate(all="ignore"):
        computed = evaluator.gradients()
        chosen = mode or affordable(program)
        if chosen not in (EVERY, DIRECTIONS):
            raise GradstepError(f"mode {chosen!r}; allowed: {EVERY!r}, {DIRECTIONS!r}")
        checks = []
        for i, (name, of) in enumerate(gradients_of(program).items()):
            own = computed.get(of)
            if own is None:  # nothing that the loss depends on has a derivative by it
                own = np.zeros_like(evaluator.given[name])
            gradient = own if analytic is None else given(analytic, name, own.shape)
            if chosen == EVERY:
                compared = by_element(evaluator, name, gradient)
            else:
                compared = by_direction(evaluator, name, gradient, stream(seed, i))
            verdict = judged(evaluator, name, compared, chosen, tolerance)
            if not verdict.passed and evaluator.cut_off(computed):
                verdict = replace(verdict, note=f"{verdict.note}; {CUT_OFF}")
            checks.append(verdict)
    dtype = program.experiment.dtype
    return GradCheck(float(computed["loss"]), chosen, dtype, tuple(checks))


def gradients_of(program: Program) -> dict[str, str]:
    """The gradient of each parameter, and of x and y where backward computes it, by name."""
    own = {info.name: program.gradients[info.name] for info in program.parameters}
    data = {
        info.gradient_of: name
        for name, info in program.tensors.items()
        if info.gradient_of in program.batch_names
    }
    return {**own, **data}


def given(gradients: Mapping[str, Array], name: str, shape: Shape) -> Array:
    """A given gradient in float64; a GradstepError where it is missing or has another shape."""
    found = gradients.get(name)
    if found is None or found.shape != shape:
        said = "there is none" if found is None else f"it has shape {found.shape}"
        raise GradstepError(f"gradient of {name}: {said}, but the parameter has shape {shape}")
    return found.astype(np.float64)


def affordable(program: Program) -> str:
    """The mode "every element", unless its forward passes are too many or too much work."""
    elements = sum(int(np.prod(program.tensors[name].shape)) for name in gradients_of(program))
    rows = min(program.batches.size, len(program.data))
    passes = 2 * elements
    few = passes <= MAX_PASSES and passes * elements * rows <= MAX_WORK
    return EVERY if few else DIRECTIONS


def by_element(evaluator: Evaluator, name: str, gradient: Array) -> Comparison:
    """One central difference for each element of a parameter."""
    value = evaluator.given[name]
    found = []
    for index in np.ndindex(*value.shape):
        direction = np.zeros_like(value)
        direction[index] = 1
        size = abs(float(value[index]))
        found.append(difference(evaluator, name, direction, STEP * max(1.0, size)))
    return Comparison.of(gradient.reshape(-1), found)


def by_direction(
    evaluator: Evaluator, name: str, gradient: Array, rng: np.random.Generator
) -> Comparison:
    """One central difference for each of TRIALS random directions of length 1.

    The analytic derivative along one is its dot product with the gradient.
    """
    value, found, along = evaluator.given[name], [], []
    size = float(np.abs(value).max(initial=1))
    for _ in range(TRIALS):
        direction = rng.standard_normal(value.shape)
        direction /= np.linalg.norm(direction)
        found.append(difference(evaluator, name, direction, STEP * size))
        along.append(float(np.vdot(gradient, direction)))
    return Comparison.of(np.array(along), found)


def difference(evaluator: Evaluator, name: str, direction: Array, step: float) -> Difference:
    """The central difference along a direction, with a smaller step where it crosses a kink."""
    value = evaluator.given[name]
    for shrink in range(SHRINKS + 1):
        h = step / 8**shrink
        above, side = evaluator.at(name, value + h * direction)
        below, other = evaluator.at(name, value - h * direction)
        smooth = bool(np.array_equal(side, other))
        if smooth:
            break
    noise = ROUNDING * EPSILON * max(abs(above), abs(below)) / h
    return Difference((above - below) / (2 * h), h, noise, smooth)


def judged(
    evaluator: Evaluator, name: str, compared: Comparison, mode: str, tolerance: float
) -> ParameterCheck:
    """The verdict about one parameter, from its analytic and numeric derivatives."""
    shape = evaluator.given[name].shape
    analytic, numeric = compared.analytic, compared.numeric
    size = np.maximum(np.abs(analytic), np.abs(numeric))
    # of a derivative below the floor rounding alone would exceed the tolerance: its error is taken
    # relative to the floor, where rounding makes exactly the tolerance
    floor = compared.noise / tolerance
    scale = np.maximum(size, floor)
    apart = np.abs(analytic - numeric)
    error = np.divide(apart, scale, out=np.where(apart == 0, 0.0, np.inf), where=scale > 0)
    bent = ~(error <= tolerance) & ~compared.smooth & np.isfinite(apart)
    failing = ~(error <= tolerance) & ~bent  # NaN fails
    worst = int(np.argmax(np.where(bent, -1.0, np.nan_to_num(error, nan=np.inf))))
    ratio = constant_ratio(compared, bent) if failing.any() else None
    return ParameterCheck(
        name=name,
        shape=shape,
        mode=mode,
        checked=int(analytic.size - bent.sum()),
        kinks=int(bent.sum()),
        step=float(compared.step[worst]),
        tolerance=tolerance,
        index=unravelled(worst, shape) if mode == EVERY else (worst,),
        analytic=float(analytic[worst]),
        numeric=float(numeric[worst]),
        relative_error=float(error[worst]),
        ratio=ratio,
        passed=not failing.any(),
        note=remark(failing, bent, ratio, compared, bool((size < floor).all())),
    )


def unravelled(place: int, shape: Shape) -> tuple[int, ...]:
    """A flat index as an index of the parameter, in row-major order."""
    return tuple(int(i) for i in np.unravel_index(place, shape))


def constant_ratio(compared: Comparison, bent: NDArray[np.bool_]) -> float | None:
    """analytic/numeric where it is one number, not 1, for all that lie far above the noise.

    A reduction that is forgotten or counted twice looks like that. None otherwise.
    """
    clear = (np.abs(compared.numeric) > 1e4 * compared.noise) & ~bent
    clear &= np.isfinite(compared.analytic)
    if not clear.any():
        return None
    ratios = compared.analytic[clear] / compared.numeric[clear]
    middle = float(np.median(ratios))
    same = np.allclose(ratios, middle, rtol=1e-3, atol=0)
    return middle if same and abs(middle - 1) > 1e-3 else None


def remark(
    failing: NDArray[np.bool_],
    bent: NDArray[np.bool_],
    ratio: float | None,
    compared: Comparison,
    tiny: bool,
) -> str:
    """The note of a check: not finite, a constant ratio, how many differ, kinks, too small."""
    said = []
    if not np.isfinite(compared.numeric - compared.analytic).all():
        said.append("not finite: the loss or the gradient is NaN or infinite here")
    elif ratio is not None:
        said.append(f"analytic = {fraction(ratio)} × numeric: a reduction?")
    elif failing.any():
        said.append(f"{int(failing.sum())} of {failing.size} differ")
    if bent.any():
        what = "all" if bent.all() else str(int(bent.sum()))
        said.append(f"{what} at a kink and left out: the loss bends there")
    if tiny and not failing.any():
        said.append("all too small to tell from the rounding of the loss")
    return "; ".join(said)


def fraction(ratio: float) -> str:
    """A ratio as text: a whole number or one over it, ``2``, ``1/4``, else with four digits."""
    if abs(ratio) < 1 and abs(1 / ratio - round(1 / ratio)) < 1e-3 * abs(1 / ratio):
        return f"{'−' if ratio < 0 else ''}1/{abs(round(1 / ratio))}"
    text = f"{round(ratio):g}" if abs(ratio - round(ratio)) < 1e-3 * abs(ratio) else f"{ratio:.4g}"
    return text.replace("-", "−")
