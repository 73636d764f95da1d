"""What an op reads: tensors with a number, and those that nobody told of yet."""

from __future__ import annotations

from types import FrameType

from gradstep_tracer.names import Names, version_of
from gradstep_tracer.recorder import Op
from gradstep_tracer.tracing import Tracing

NEAR = 64  # nodes that are looked through for what an unseen op has read
LOSSES = ("loss", "cross_entropy", "kl_div", "binary_cross_entropy")


class Produced:
    """Whose result a node of the autograd graph leads back to."""

    __slots__ = ("iteration", "numbers", "op", "place", "view")

    def __init__(self, op: Op | None, numbers: list, place: int, iteration: int, view: bool):
        self.op = op
        self.numbers = numbers  # of the tensors, by the node's outputs
        self.place = place  # in its iteration
        self.iteration = iteration
        self.view = view


class Reading:
    """Finds the numbers of what is read; a tensor of unknown origin becomes an op of its own."""

    def __init__(self, tracing: Tracing, names: Names) -> None:
        self.tracing = tracing
        self.names = names
        self.recorder = tracing.recorder
        self.tensor_type = tracing.torch.Tensor
        # By the sequence numbers of nodes: of this pass and of the one before.
        self.produced: dict[int, Produced] = {}
        self.earlier: dict[int, Produced] = {}
        tracing.forget.append(self.tidy)

    def tidy(self) -> None:
        """A new pass begins."""
        self.earlier, self.produced = self.produced, {}

    def producer(self, sequence: int) -> Produced | None:
        """Who made the node of a sequence number."""
        return self.produced.get(sequence) or self.earlier.get(sequence)

    def tensors(self, args: tuple, kwargs: dict | None) -> list:
        """The tensors among arguments, and in lists among them, in their order."""
        found, kind = [], self.tensor_type
        for one in args:
            if isinstance(one, kind):
                found.append(one)
            elif type(one) in (list, tuple):
                found += [part for part in one if isinstance(part, kind)]
        if kwargs:
            for key, one in kwargs.items():
                if isinstance(one, kind) and key != "out":
                    found.append(one)
        return found

    def of(self, tensors: list, kind: str, frame: FrameType) -> tuple[tuple, tuple]:
        """The numbers of what an op reads, and the views that each is read through."""
        numbers, views = [], []
        names = self.names
        for place, tensor in enumerate(tensors):
            known = names.lookup(tensor)
            if known is None:
                known = self.first(tensor, kind, place, frame)
            elif known.version != version_of(tensor):
                self.recorder.given(known.number, tensor, self.told(known.number))
                known.version = version_of(tensor)
            numbers.append(known.number)
            views.append(known.views)
        return tuple(numbers), tuple(views) if any(views) else ()

    def told(self, number: int) -> bool:
        """Whether the values of a tensor may be told: inputs may be kept back."""
        role = self.recorder.defined[number][2]
        return self.tracing.plan.inputs or role not in ("input", "target")

    def first(self, tensor, kind: str, place: int, frame: FrameType):
        """A tensor that is read for the first time."""
        names, recorder = self.names, self.recorder
        if tensor.grad_fn is not None:
            base = tensor._base if tensor._is_view() else None
            known = names.lookup(base) if base is not None else None
            if known is not None:
                return names.remember(tensor, known.number, joined(known.views, "view"))
            return self.unseen(tensor, frame)
        called = names.arguments.get(id(tensor))
        given = called is not None and called[0]() is tensor
        if names.is_parameter(tensor) or (tensor.requires_grad and not given):
            names.parameter(tensor, frame)
            return names.lookup(tensor)
        name, role = self.input_name(tensor, kind, place, frame)
        number = recorder.tensor(tensor, name, role, leaf=tensor.requires_grad)
        recorder.given(number, tensor, self.told(number))
        return names.remember(tensor, number)

    def input_name(self, tensor, kind: str, place: int, frame: FrameType) -> tuple[str, str]:
        """The name and role of a tensor that the script made outside of what is traced."""
        names = self.names
        loss = place == 1 and any(word in kind for word in LOSSES)
        called = names.arguments.get(id(tensor))
        if called is not None and called[0]() is tensor:
            return called[1], "target" if loss else "input"
        outside = self.tracing.places.outside(frame)
        role = "target" if loss else "constant" if self.tracing.here.modules else "input"
        site = (id(outside.f_code), outside.f_lasti, kind, place) if outside else None
        name = names.sites.get(site)
        if name is None:
            found = names.variable(tensor, outside)
            name = found or ("target" if loss else "%s.%d" % (kind, place))
            names.sites[site] = name
        return name, role

    def unseen(self, tensor, frame: FrameType):
        """A result that no op which was seen made: its node in the graph says what it was."""
        node = tensor.grad_fn
        kind = node.name().rpartition("::")[2]
        kind = kind.rstrip("0123456789")
        kind = kind[: -len("Backward")] if kind.endswith("Backward") else kind
        numbers, views = self.sources(node, frame)
        place = self.tracing.places.of(self.tracing.places.users(frame))
        return self.made(kind or "op", None, [tensor], numbers, views, place, {})[0]

    def sources(self, node, frame: FrameType) -> tuple[tuple, tuple]:
        """What a node is made of, as far as it is near: numbers, and how they are viewed."""
        numbers: list = []
        views: list = []
        todo, seen = [node], 0
        while todo and seen < NEAR:
            one = todo.pop()
            seen += 1
            for nearer, output in one.next_functions:
                if nearer is None:
                    continue
                leaf = getattr(nearer, "variable", None)
                produced = self.producer(sequence_of(nearer))
                number, view = None, ""
                if isinstance(leaf, self.tensor_type):
                    number = self.names.parameter(leaf, frame)
                elif produced is not None and produced.view:
                    number, view = produced.numbers[0], "view"
                elif produced is not None and output < len(produced.numbers):
                    number = produced.numbers[output]
                else:
                    todo.append(nearer)
                if number is not None and number not in numbers:
                    numbers.append(number)
                    views.append(view)
        return tuple(numbers), tuple(views) if any(views) else ()

    def made(
        self,
        kind: str,
        module: str | None,
        outs: list,
        reads: tuple,
        views: tuple,
        place: tuple,
        more: dict,
        attributes=None,
        start: int = 0,
    ) -> list:
        """An op of the forward pass has run; what is known of its results.

        ``more``: other tensors that it has written, by number. ``start``: the sequence number of
        the first node that it can have made.
        """
        recorder, names = self.recorder, self.names
        base = "%s.%s" % (module, kind) if module else kind
        name = recorder.unique("forward", base)
        numbers = []
        for index, out in enumerate(outs):
            own = name if len(outs) == 1 else "%s.%d" % (name, index)
            numbers.append(recorder.tensor(out, own, "activation", module))
        op = recorder.op(
            "forward",
            name,
            kind,
            place,
            reads,
            (*numbers, *more),
            module,
            views,
            attributes=attributes,
        )
        at = len(recorder.story)
        recorder.told(op, [*outs, *more.values()])
        for number, written in more.items():
            names.remember(written, number)
        found = []
        for number, out in zip(numbers, outs):
            found.append(names.remember(out, number))
            node = out.grad_fn
            if node is not None:
                self.follow(node, Produced(op, [], at, recorder.iteration, False), start)
                held = self.produced[sequence_of(node)]
                place_of = out.output_nr
                while len(held.numbers) <= place_of:
                    held.numbers.append(None)
                held.numbers[place_of] = number
        return found

    def follow(self, node, produced: Produced, start: int) -> None:
        """A node, and those before it that the same op made, lead back to its results."""
        last = sequence_of(node)
        held = self.produced.get(last)
        if held is None or held.op is not produced.op or held.place != produced.place:
            self.produced[last] = produced
            if start and last - start < 1000:
                inner = Produced(produced.op, [], produced.place, produced.iteration, False)
                for sequence in range(start, last):
                    before = self.produced.get(sequence)
                    if before is None or before.op is not produced.op:
                        self.produced[sequence] = inner

    def viewed(self, tensor, known, text: str, start: int) -> None:
        """A view of something that is known."""
        self.names.remember(tensor, known.number, joined(known.views, text))
        node = tensor.grad_fn
        if node is not None:
            last = sequence_of(node)
            view = Produced(None, [known.number], 0, self.recorder.iteration, True)
            for sequence in range(max(start, last - 8), last + 1):
                self.produced.setdefault(sequence, view)


def joined(first: str, then: str) -> str:
    """Views one after the other."""
    return "%s.%s" % (first, then) if first else then


def sequence_of(node) -> int:
    """The sequence number of a node, −1 for one without."""
    try:
        return node._sequence_nr()
    except (AttributeError, RuntimeError):
        return -1
