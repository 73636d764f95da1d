"""Functions of torch by their names, and the places that call them."""

from __future__ import annotations

from types import FrameType, FunctionType

# Tensors' properties that are tensors; all others are quiet.
PROPERTIES = frozenset(("T", "mT", "H", "mH", "real", "imag", "data", "grad"))
# Neither results nor warnings come from these.
QUIET = frozenset(
    [
        "size",
        "dim",
        "numel",
        "nelement",
        "stride",
        "is_contiguous",
        "is_floating_point",
        "is_complex",
        "element_size",
        "storage_offset",
        "data_ptr",
        "item",
        "tolist",
        "__len__",
        "__bool__",
        "__hash__",
        "__format__",
        "__repr__",
        "__str__",
        "__float__",
        "__int__",
        "__index__",
        "__contains__",
        "get_device",
        "requires_grad_",
        "retain_grad",
        "register_hook",
        "register_post_accumulate_grad_hook",
        "backward",
        "is_conj",
        "is_neg",
        "is_inference",
        "untyped_storage",
        "__reduce_ex__",
        "__deepcopy__",
        "__dlpack__",
        "__array__",
        "numpy",
        "cpu_",
        "has_names",
        "is_same_size",
        "allclose",
        "equal",
        "is_shared",
        "share_memory_",
        "__dir__",
        "__delete__",
    ]
)
SAME_OP = {"nll_loss_nd": "nll_loss", "cross_entropy_loss": "cross_entropy"}
MOST_SITES = 50_000


class Rule:
    """What is known of a function from its name alone."""

    __slots__ = ("kind", "name", "places", "prop", "quiet")

    def __init__(self, func: object) -> None:
        self.name = name = getattr(func, "__name__", "op")
        self.prop = None
        if name in ("__get__", "__set__"):
            self.prop = getattr(getattr(func, "__self__", None), "__name__", "")
        self.quiet = name in QUIET or (
            self.prop is not None
            and (self.prop not in PROPERTIES if name == "__get__" else self.prop == "requires_grad")
        )
        self.places = name in ("__setitem__", "__set__") or (
            name.endswith("_") and not name.endswith("__")
        )
        if name.startswith("__i") and name.endswith("__") and name not in ("__invert__",):
            self.places = True
        kind = self.prop if self.prop is not None else name.strip("_")
        kind = kind[1:] if name.startswith("__i") and self.places and name != "__ior__" else kind
        self.kind = SAME_OP.get(kind, kind)


def template(func, args, kwargs):
    return func(*args, **kwargs)


class Sites:
    """A function for each place that calls torch, with that place's file and line.

    PyTorch's warnings name the Python frame that called it, and are shown once for each: that must
    be the script's frame, and not one of ours.
    """

    def __init__(self) -> None:
        self.made: dict[tuple, tuple] = {}

    def at(self, frame: FrameType) -> FunctionType:
        """The one for where a frame stands."""
        code = frame.f_code
        key = (id(code), frame.f_lasti)
        found = self.made.get(key)
        if found is None:
            if len(self.made) > MOST_SITES:
                self.made.clear()
            line = max(1, (frame.f_lineno or 1) - 1)
            same = template.__code__.replace(
                co_filename=code.co_filename, co_name=code.co_name, co_firstlineno=line
            )
            found = self.made[key] = (FunctionType(same, frame.f_globals), code)
        return found[0]
