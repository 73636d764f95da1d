"""Names of tensors, modules and optimizers, and which value of a tensor was told last."""

from __future__ import annotations

import weakref
from types import FrameType

from gradstep_tracer.places import variables
from gradstep_tracer.tracing import Tracing

WRAPPERS = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
MOST_KNOWN = 20_000
MOST_LOOKS = 20  # at all variables, for models that were not there before
DEEPEST = 12  # frames in which a variable is looked for


class Known:
    """A tensor that has a number."""

    __slots__ = ("number", "ref", "version", "views")

    def __init__(self, tensor, number: int, views: str, version: int) -> None:
        self.ref = weakref.ref(tensor)
        self.number = number
        self.views = views
        self.version = version


def version_of(tensor) -> int:
    """Its version counter; −1 for one that has none."""
    try:
        return tensor._version
    except RuntimeError:
        return -1


def clean(name: str) -> str:
    """A module's path without what DDP, torch.compile and FSDP put before it."""
    parts = name.split(".")
    if parts and parts[0] == "module":
        parts = parts[1:]
    return ".".join(part for part in parts if part not in WRAPPERS)


class Names:
    """Who is who."""

    def __init__(self, tracing: Tracing) -> None:
        self.tracing = tracing
        self.recorder = tracing.recorder
        self.known: dict[int, Known] = {}
        self.modules: dict[int, tuple] = {}  # weak reference and path
        self.labels: dict[int, tuple] = {}  # of parameters and buffers: reference, name, module
        self.buffers: dict[int, weakref.ref] = {}
        self.pointers: dict[int, int] = {}  # of parameters' data: id of the parameter
        self.at: dict[int, int] = {}  # the other way round
        self.looks = 0
        self.many = False
        self.optimizers: dict[int, tuple] = {}
        self.arguments: dict[int, tuple] = {}  # what a model was called with: reference, name
        self.sites: dict = {}
        tracing.forget.append(self.tidy)

    def tidy(self) -> None:
        """Forget who is gone."""
        self.arguments.clear()
        if len(self.known) > MOST_KNOWN:
            self.known = {key: one for key, one in self.known.items() if one.ref() is not None}

    # -- models

    def look(self, frame: FrameType | None) -> None:
        """The models that the script's variables hold, before the first event."""
        self.looks += 1
        module = self.tracing.torch.nn.Module
        found: dict[int, tuple] = {}
        while frame is not None:
            if self.tracing.places.kind(frame.f_code.co_filename) != 2:
                held = variables(frame)
                for name, value in held:
                    if name == "self" and not issubclass(type(value), module):
                        held = held + list(getattr(value, "__dict__", {}).items())
                for name, value in held:
                    if (
                        # isinstance would ask the object, and a lazy one would load itself.
                        issubclass(type(value), module)
                        and name != "self"
                        and not name.startswith("_")
                        and next(value.parameters(), None) is not None
                    ):
                        found.setdefault(id(value), (name, value))
            frame = frame.f_back
        inner = {
            id(part) for _, value in found.values() for part in value.modules() if part is not value
        }
        roots = [(name, value) for key, (name, value) in found.items() if key not in inner]
        self.many = len(roots) > 1
        for name, value in roots:
            self.adopt(value, name if self.many else "")

    def adopt(self, module, prefix: str) -> None:
        """Everything in a model gets its name."""
        for name, part in module.named_modules():
            path = ".".join(one for one in (prefix, clean(name)) if one)
            held = self.modules.get(id(part))
            if held is None or held[0]() is not part:
                self.modules[id(part)] = (weakref.ref(part), path)
            for tensors, buffer in ((part._parameters, False), (part._buffers, True)):
                for key, tensor in tensors.items():
                    if tensor is not None:
                        full = ".".join(one for one in (path, key) if one)
                        self.label(tensor, full, path, sure=True)
                        if buffer:
                            self.buffers[id(tensor)] = weakref.ref(tensor)

    def label(self, tensor, name: str, module: str | None, sure: bool = False) -> None:
        """A parameter or buffer gets its name, if it has none that is as sure."""
        held = self.labels.get(id(tensor))
        if held is None or held[0]() is not tensor or (sure and not held[3]):
            self.labels[id(tensor)] = (weakref.ref(tensor), name, module, sure)
            self.moved(tensor)

    def moved(self, tensor) -> bool:
        """Note where the data of a parameter are; whether that is another place than before."""
        if not self.tracing.reader.readable(tensor) or not tensor.numel():
            return True
        at, before = tensor.data_ptr(), self.at.get(id(tensor))
        self.pointers[at], self.at[id(tensor)] = id(tensor), at
        return at != before

    def path(self, module, frame: FrameType | None) -> str:
        """The path of a module that is called."""
        held = self.modules.get(id(module))
        if held is not None and held[0]() is module:
            return held[1] or (type(module).__name__ if not module._modules else "")
        outer = self.tracing.here.modules
        if not outer and self.looks < MOST_LOOKS:
            self.look(frame)
            held = self.modules.get(id(module))
            if held is not None and held[0]() is module:
                return held[1]
        if outer:
            path = ".".join(one for one in (outer[-1], type(module).__name__) if one)
            self.modules[id(module)] = (weakref.ref(module), path)
            return path
        label = self.variable(module, frame) or type(module).__name__
        first = next(module.parameters(), None) is not None and not self.modules and not self.many
        self.adopt(module, "" if first else label)
        return self.modules[id(module)][1]

    def variable(self, value: object, frame: FrameType | None) -> str | None:
        """The name of the variable that holds something, in the frames from here outwards."""
        seen = 0
        while frame is not None and seen < DEEPEST:
            if self.tracing.places.kind(frame.f_code.co_filename) != 2:
                seen += 1
                held = variables(frame)
                for name, one in held:
                    if one is value and name != "self" and not name.startswith("_"):
                        return name
                for name, one in held:
                    inside = getattr(one, "__dict__", None) if name == "self" else None
                    for key, part in list(inside.items()) if type(inside) is dict else ():
                        if part is value:
                            return key
                    if type(one) in (list, tuple) and len(one) < 1000:
                        for place, part in enumerate(one):
                            if part is value:
                                return "%s[%d]" % (name, place)
            frame = frame.f_back
        return None

    def optimizer(self, optimizer, frame: FrameType | None) -> str:
        """The name of an optimizer."""
        held = self.optimizers.get(id(optimizer))
        if held is None or held[0]() is not optimizer:
            name = self.variable(optimizer, frame) or type(optimizer).__name__
            held = self.optimizers[id(optimizer)] = (weakref.ref(optimizer), name)
        return held[1]

    # -- tensors

    def leaf(self, tensor, frame: FrameType | None, fallback: str = "") -> tuple:
        """The name and the module of a parameter."""
        held = self.labels.get(id(tensor))
        if held is not None and held[0]() is tensor:
            return held[1], held[2]
        known = self.lookup(tensor)
        if known is not None:  # an input that wants a gradient
            return self.recorder.name(known.number), None
        if self.looks < MOST_LOOKS:
            self.look(frame)
            held = self.labels.get(id(tensor))
            if held is not None and held[0]() is tensor:
                return held[1], held[2]
        name = self.variable(tensor, frame) or fallback
        if not name:
            name = "leaf%s" % ("x".join(str(int(size)) for size in tensor.shape),)
        self.label(tensor, name, None)
        return name, None

    def remember(self, tensor, number: int, views: str = "") -> Known:
        """The value of a tensor that was just told, under this number."""
        found = Known(tensor, number, views, version_of(tensor))
        self.known[id(tensor)] = found
        return found

    def lookup(self, tensor) -> Known | None:
        """What is known of a tensor."""
        found = self.known.get(id(tensor))
        return found if found is not None and found.ref() is tensor else None

    def parameter(self, tensor, frame: FrameType | None, fallback: str = "") -> int:
        """The number of a parameter or buffer; its value is given if it was not told."""
        known = self.lookup(tensor)
        if known is not None and not self.is_parameter(tensor):
            return known.number
        name, module = self.leaf(tensor, frame, fallback)
        buffer = self.buffers.get(id(tensor))
        role = "buffer" if buffer is not None and buffer() is tensor else "parameter"
        number = self.recorder.tensor(tensor, name, role, module, leaf=role == "parameter")
        self.give(tensor, number)
        return number

    def give(self, tensor, number: int, told: bool = True) -> None:
        """The value of a tensor, unless it was told as it is."""
        found = self.lookup(tensor)
        if found is None or found.version != version_of(tensor) or found.number != number:
            self.recorder.given(number, tensor, told)
            self.remember(tensor, number)

    def gradient(self, parameter, gradient, frame: FrameType | None, fallback: str = "") -> int:
        """The number of a parameter's gradient, whether there is one or not."""
        name, module = self.leaf(parameter, frame, fallback)
        return self.recorder.tensor(
            parameter if gradient is None else gradient,
            name + ".grad",
            "gradient",
            module,
            gradient_of=name,
            leaf=True,
        )

    def is_parameter(self, tensor) -> bool:
        """Whether it is a leaf, or a buffer of a model."""
        held = self.labels.get(id(tensor))
        return held is not None and held[0]() is tensor
