"""Rules between the fields of one table, beyond what a field's type says: each as Problems."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.errors import Problem
from engine.run.phases import order_problems, skip_problems


def linear_problems(values: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Explicit values of a linear layer that are not weight (out, n) and bias (out,)."""
    out, weight, bias = (values.get(name) for name in ("out", "weight", "bias"))
    if weight is not None:
        if out is not None and len(weight) != out:
            turned = all(len(row) == out for row in weight)
            hint = "; is it transposed? weights are (out, in)" if turned else ""
            yield Problem(f"{path}.weight", f"has {len(weight)} rows, but out = {out}{hint}")
        lengths = sorted({len(row) for row in weight})
        if len(lengths) > 1:
            said = " and ".join(map(str, lengths))
            yield Problem(f"{path}.weight", f"its rows have different lengths, {said}")
    if isinstance(bias, list) and out is not None and len(bias) != out:
        yield Problem(f"{path}.bias", f"has {len(bias)} values, but out = {out}")
    if bias is False and "bias" in values.get("frozen", ()):
        yield Problem(f"{path}.frozen", "there is no bias to freeze: bias = false")
    decay = values.get("decay")
    if bias is False and isinstance(decay, list) and "bias" in decay:
        yield Problem(f"{path}.decay", "there is no bias to decay: bias = false")


def clip_problems(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """A [clip] table that is not either by norm or by value."""
    given = [name for name in ("norm", "value") if raw.get(name) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        yield Problem("clip", f"needs exactly one of norm, value; found {found}")
    elif given == ["value"] and "norm_type" in raw:
        yield Problem("clip.norm_type", "belongs to norm only")


def nesterov_problems(values: Mapping[str, Any]) -> Iterator[Problem]:
    """What PyTorch refuses in the options of SGD."""
    if values.get("nesterov") and (not values.get("momentum") or values.get("dampening")):
        yield Problem("optimizer.nesterov", "needs a momentum above 0 and no dampening")


def steps_problems(values: Mapping[str, Any]) -> Iterator[Problem]:
    """An order of the phases, or a choice of those to skip, that is not legal."""
    for said in order_problems(values["order"]) if "order" in values else ():
        yield Problem("training.order", said)
    for said in skip_problems(values.get("skip", ())):
        yield Problem("training.skip", said)
