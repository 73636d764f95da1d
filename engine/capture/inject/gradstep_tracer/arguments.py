"""The arguments of calls that are no tensors, as text and as JSON."""

from __future__ import annotations

from types import ModuleType

from gradstep_tracer.recorder import UNTOLD
from gradstep_tracer.rules import Rule


def described(rule: Rule, args: tuple, kwargs: dict | None, tensor: type) -> str:
    """A view as text: ``view(4, 2)``, ``[:, 0]``."""
    if rule.name == "__getitem__":
        index = args[1] if type(args[1]) is tuple else (args[1],)
        return "[%s]" % (", ".join(index_text(one, tensor) for one in index),)
    if rule.prop is not None:
        return rule.kind
    words = [plain_text(one) for one in args[1:]]
    words += ["%s=%s" % (key, plain_text(one)) for key, one in (kwargs or {}).items()]
    return "%s(%s)" % (rule.kind, ", ".join(words))


def index_text(index: object, tensor: type) -> str:
    """A part of an index as text."""
    if isinstance(index, slice):
        ends = ["" if one is None else plain_text(one) for one in (index.start, index.stop)]
        step = "" if index.step is None else ":" + plain_text(index.step)
        return ":".join(ends) + step
    return "..." if index is Ellipsis else "tensor" if isinstance(index, tensor) else str(index)


def plain_text(value: object) -> str:
    """A number, a text or a sequence of them; the name of its type for anything else."""
    if isinstance(value, (list, tuple)):
        return ", ".join(plain_text(one) for one in value)
    return str(value) if isinstance(value, (int, float, str)) else type(value).__name__


def attributes(torch: ModuleType, rule: Rule, args: tuple, kwargs: dict | None) -> dict:
    """The arguments of a call that are no tensors, by name where PyTorch knows one."""
    with_names: list = []
    for schema in torch._C._jit_get_schemas_for_operator("aten::" + rule.name):
        given = [one for one in schema.arguments if not one.kwarg_only]
        if len(given) >= len(args) and all(map(fits, args, given)):
            with_names = [one.name for one in given]
            break
    found = {}
    for place, value in enumerate(args):
        shown = plain_value(value)
        if shown is not UNTOLD:
            name = with_names[place] if place < len(with_names) else "argument%d" % place
            found[name] = shown
    for key, value in (kwargs or {}).items():
        shown = plain_value(value)
        if shown is not UNTOLD:
            found[key] = shown
    return found


def fits(value: object, argument) -> bool:
    """Whether a value can be this argument of a schema, by what is easily seen."""
    kind = str(argument.type)
    if isinstance(value, (list, tuple)):
        return "List" in kind
    if type(value) is bool:
        return "bool" in kind
    if type(value) in (int, float):
        return any(word in kind for word in ("int", "float", "number", "Scalar", "Tensor"))
    return ("str" in kind) if isinstance(value, str) else True


def plain_value(value: object) -> object:
    """A value as JSON has it, UNTOLD for what it has no form for."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple) or type(value).__name__ == "Size":
        parts = [plain_value(one) for one in value[:64]]
        return UNTOLD if any(one is UNTOLD for one in parts) else parts
    if type(value).__name__ == "dtype":
        return str(value)
    return UNTOLD
