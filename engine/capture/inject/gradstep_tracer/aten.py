"""Depth aten: the ops below autograd, of a dispatch mode that is on while forward runs.

PyTorch itself can see such a mode and goes other ways under it; so it is off while the engine runs,
in everything that the function mode stays out of, and around functions that are known for it.
"""

from __future__ import annotations

import functools
import sys
from types import FrameType

from gradstep_tracer.arguments import plain_text, plain_value
from gradstep_tracer.functions import Functions
from gradstep_tracer.names import version_of
from gradstep_tracer.reading import Produced, joined
from gradstep_tracer.recorder import UNTOLD
from gradstep_tracer.tracing import Body, Tracing, stripped

TOLD = (
    "--depth aten: ops are those below autograd, of forward alone; PyTorch can see the mode that "
    "tells them and may compute a few functions otherwise: --check says whether anything differs"
)


class Kernel:
    """What is known of an overload from its schema."""

    __slots__ = ("call", "kind", "name", "names", "view", "writes")

    def __init__(self, func) -> None:
        schema = func._schema
        self.name = schema.name.rpartition("::")[2]
        self.kind = self.name.strip("_")
        self.call = getattr(func, "_op", func)
        self.writes = schema.is_mutable
        self.view = not self.writes and any(one.alias_info is not None for one in schema.returns)
        self.names = [one.name for one in schema.arguments]


class Aten:
    """What happens around each kernel."""

    def __init__(self, tracing: Tracing, functions: Functions) -> None:
        self.tracing = tracing
        self.functions = functions
        self.names = functions.names
        self.reading = functions.reading
        self.kernels: dict = {}
        self.sequence = functions.sequence
        self.last = -1  # what the last node's sequence number was
        self.said = False

    def kernel(self, func) -> Kernel:
        """What is known of an overload."""
        found = self.kernels[func] = Kernel(func)
        return found

    def listening(self) -> bool:
        """Whether something is to be told, now."""
        here, tracing = self.tracing.here, self.tracing
        if here.off or here.backward or here.placing or tracing.over:
            return False
        return self.functions.grad_on() and tracing.transforms() is None

    def before(self, kernel: Kernel, args: tuple, kwargs: dict, frame: FrameType) -> tuple:
        """What must be known before a kernel overwrites it: its reads, buffers with versions."""
        names, reading = self.names, self.reading
        held = names.buffers
        tensors = reading.tensors(args, kwargs)
        buffers = [one for one in tensors if id(one) in held and held[id(one)]() is one]
        if kernel.writes:
            writes = self.functions.writes
            if not tensors or not writes.is_result(tensors[0]):
                return None, ()
        elif not (buffers and self.tracing.here.modules):
            return None, ()
        self.tracing.turn(frame)
        read = reading.of(tensors, kernel.name, frame)
        return read, [(one, version_of(one)) for one in buffers]

    def after(self, kernel, args, kwargs, out, frame: FrameType, begun) -> None:
        """A kernel has run: tell of it if it is an op."""
        tracing, names, reading = self.tracing, self.names, self.reading
        read, buffers = begun
        if kernel.writes:
            if read is not None:
                self.functions.writes.result(kernel, args[0], frame, read, 0)
            return
        if isinstance(out, names.tracing.torch.Tensor):
            outs = [out]
        elif isinstance(out, (tuple, list)):
            outs = [one for one in out if isinstance(one, names.tracing.torch.Tensor)]
        else:
            return
        outs = [one for one in outs if one.is_floating_point() or one.is_complex()]
        tensors = reading.tensors(args, kwargs)
        if not outs or not tensors:
            return
        number = self.sequence() - 1
        node = number if number != self.last and any(t.requires_grad for t in tensors) else None
        self.last = number
        if node is None and not (tracing.here.modules and self.functions.known_any(tensors)):
            return
        tracing.turn(frame)
        if kernel.view:
            self.view(kernel, args, outs, tensors[0], frame, node)
            return
        if not self.said:
            self.said = True
            tracing.recorder.note(TOLD)
        reads, views = read or reading.of(tensors, kernel.name, frame)
        more = {
            names.parameter(one, frame): one
            for one, version in buffers
            if "batch_norm" in kernel.name or version_of(one) != version
        }
        module = tracing.here.modules[-1] if tracing.here.modules else None
        place = tracing.places.of(tracing.places.users(frame))
        at = len(tracing.recorder.story)
        said = functools.partial(self.attributes, kernel, args, kwargs)
        reading.made(kernel.name, module, outs, reads, views, place, more, said)
        if node is not None:  # autograd puts it on the results when this has returned
            op = tracing.recorder.story[at]
            numbers = list(op.writes[: len(outs)])
            made = Produced(op, numbers, at, tracing.recorder.iteration, False)
            reading.produced[node] = made

    def view(self, kernel, args, outs, source, frame, node) -> None:
        """Views are no ops: what reads them says how."""
        names, reading = self.names, self.reading
        reading.of([source], kernel.name, frame)
        known = names.lookup(source)
        text = ""
        if kernel.name != "detach":
            words = ", ".join(plain_text(one) for one in args[1:])
            text = "%s(%s)" % (kernel.name, words)
        for index, one in enumerate(outs):
            if names.is_parameter(one):
                continue
            own = text if len(outs) == 1 or not text else "%s[%d]" % (text, index)
            views = joined(known.views, own) if own else known.views
            # Its version will be the source's: autograd makes it so when this has returned.
            names.remember(one, known.number, views).version = version_of(source)
        if node is not None and kernel.name != "detach":
            view = Produced(None, [known.number], 0, self.tracing.recorder.iteration, True)
            reading.produced.setdefault(node, view)

    @staticmethod
    def attributes(kernel: Kernel, args: tuple, kwargs: dict) -> dict:
        """The arguments that are no tensors, by name."""
        found = {}
        for name, value in [*zip(kernel.names, args), *kwargs.items()]:
            shown = plain_value(value)
            if shown is not UNTOLD:
                found[name] = shown
        return found


def listener(tracing: Tracing, functions: Functions) -> object:
    """The dispatch mode."""
    kind = sys.modules["torch.utils._python_dispatch"].TorchDispatchMode
    aten = Aten(tracing, functions)
    kernels, sites, getframe = aten.kernels, functions.sites, sys._getframe

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # noqa: N807
        kernel = kernels.get(func)
        if kernel is None:
            kernel = aten.kernel(func)
        frame = getframe(1)
        kwargs = kwargs or {}
        begun = None
        if aten.listening():
            with Body(tracing):
                begun = aten.before(kernel, args, kwargs, frame)
        try:
            out = sites.at(frame)(kernel.call, args, kwargs)
        except BaseException as problem:
            stripped(problem, own, 1)
            raise
        if begun is not None:
            with Body(tracing):
                if not tracing.over:
                    aten.after(kernel, args, kwargs, out, frame, begun)
        return out

    own = {__torch_dispatch__.__code__}
    made = type("Below", (kind,), {})
    made.__torch_dispatch__ = __torch_dispatch__  # as it is, not as subclasses get it wrapped
    return made()
