"""Backward: told from the engine's own nodes, in the engine's order."""

from __future__ import annotations

import functools
import sys
import weakref
from types import FrameType

from gradstep_tracer.anomaly import uncover
from gradstep_tracer.graph import Graph, Owner
from gradstep_tracer.hiding import Hiding
from gradstep_tracer.loss import loss_places
from gradstep_tracer.modules import Modules
from gradstep_tracer.names import Names, version_of
from gradstep_tracer.reading import Produced, Reading, sequence_of
from gradstep_tracer.recorder import UNTOLD
from gradstep_tracer.tracing import Body, Tracing, stripped
from gradstep_tracer.writes import Writes


class Backward:
    """What happens around each call of the engine."""

    def __init__(
        self,
        tracing: Tracing,
        names: Names,
        reading: Reading,
        writes: Writes,
        modules: Modules,
    ) -> None:
        self.tracing = tracing
        self.names = names
        self.reading = reading
        self.writes = writes
        self.modules = modules
        self.recorder = tracing.recorder
        self.light = tracing.plan.values == "light"  # then only gradients of parameters are told
        self.place: tuple = (None, 0)
        self.frame: FrameType | None = None
        self.left: dict[int, tuple] = {}  # gradients as backward left them, by parameter's id

    # -- before

    def begin(
        self, outputs: tuple, gradients, accumulate: bool, frame: FrameType, handles: list
    ) -> None:
        """The engine is called: tell of it, and hook its nodes. The handles of the hooks are
        added to a list."""
        nested = self.tracing.here.backward > 1
        kind = self.tracing.torch.Tensor
        roots = [one for one in outputs if isinstance(one, kind) and one.grad_fn is not None]
        if not nested:
            self.place = self.tracing.places.of(self.tracing.places.users(frame))
        if not roots:
            return
        if self.tracing.torch.is_anomaly_enabled():
            uncover([one.grad_fn for one in roots])
        if self.light and not nested:
            self.tracing.turn(frame)
        numbers = self.reading.of(roots, "backward", frame)[0] if not nested else ()
        graph = Graph(self.reading, [one.grad_fn for one in roots])
        if nested:  # a checkpoint's: its own graph is that of ops which were told of before
            for owner in graph.order:
                known = owner.leaf is not None and self.names.is_parameter(owner.leaf)
                if known and accumulate:
                    handles.append(self.hook_leaf(owner, graph, {}, frame))
            return
        self.loss(numbers, graph)
        self.start(numbers, roots, gradients)
        contributions: dict = {}
        for owner in graph.order:
            if owner.leaf is not None:
                if accumulate and not self.light:
                    handles.append(self.hook_leaf(owner, graph, contributions, frame))
            elif owner.produced is not None and not owner.produced.view and not self.light:
                self.hook_op(owner, graph, contributions, handles, accumulate, frame)

    def loss(self, numbers: tuple, graph: Graph) -> None:
        """Which forward ops are those of the loss."""
        places, sure = loss_places(self.recorder, graph, self.modules.root_exit)
        places = [one for one in places if self.recorder.story[one].phase == "forward"]
        if places:
            self.recorder.phases(places, numbers[0] if numbers else None, sure)

    def start(self, numbers: tuple, roots: list, gradients) -> None:
        """The gradient that backward begins with."""
        recorder = self.recorder
        writes = tuple(self.gradient_of(number) for number in numbers)
        name = recorder.unique("backward", "backward")
        op = recorder.op("backward", name, "backward", self.place, numbers, writes)
        torch = self.tracing.torch
        given = gradients if isinstance(gradients, (tuple, list)) else (gradients,)
        values = []
        for index, root in enumerate(roots):
            own = given[index] if index < len(given) else None
            values.append(torch.ones_like(root) if own is None else own)
        recorder.told(op, values)

    def gradient_of(self, number: int, suffix: str = "") -> int:
        """The number of the gradient of a tensor."""
        name = self.recorder.name(number)
        return self.recorder.like(number, name + ".grad" + suffix, "gradient", name)

    # -- hooks

    def hook_op(self, owner: Owner, graph, contributions, handles, accumulate, frame) -> None:
        """Hook a node of an op: where its gradient is a sum, and where its results leave the op."""
        produced = owner.produced
        for output, number in enumerate(produced.numbers):
            key = (owner.node, output)
            if number is None or key not in graph.arrivals:
                continue
            if graph.arrivals[key] > 1 or key in graph.through_views:
                handles.append(self.hook_sum(owner, output, number, contributions))
        if owner.edges:
            handles.append(self.hook_node(owner, graph, contributions, accumulate, frame))

    def hook_sum(self, owner: Owner, output: int, number: int, contributions: dict):
        """Several gradients of one tensor have come together, or one through a view."""
        key = (sequence_of(owner.node), output)
        op = owner.produced.op

        def together(grad_outputs):
            if self.tracing.over:
                return None
            with Body(self.tracing):
                parts = tuple(contributions.get(key, ()))
                recorder = self.recorder
                name = recorder.unique("backward", recorder.name(number) + ".sum")
                write = self.gradient_of(number)
                made = recorder.op(
                    "backward",
                    name,
                    "sum" if len(parts) > 1 else "view",
                    self.place,
                    parts,
                    (write,),
                    op.module if op is not None else None,
                    forward=op.id if op is not None else None,
                )
                gradient = grad_outputs[output] if output < len(grad_outputs) else None
                recorder.told(made, [UNTOLD if gradient is None else gradient])
            return None

        return owner.node.register_prehook(together)

    def hook_node(self, owner: Owner, graph, contributions: dict, accumulate: bool, frame):
        """A node has computed the gradients of what its op read."""
        produced = owner.produced
        key = (produced.op.id, produced.place) if produced.op is not None else None
        kind = graph.kinds.get(key) or owner.node.name().rpartition("::")[2]
        results = graph.results.get(key) or [one for one in produced.numbers if one is not None]
        plan = []
        for index, target, output, viewed in owner.edges:
            key = (target.node, output)
            alone = graph.arrivals[key] == 1
            if target.leaf is not None:
                if alone and accumulate:
                    plan.append((index, "leaf", weakref.ref(target.leaf), id(target.leaf)))
                else:
                    plan.append((index, "part", weakref.ref(target.leaf), id(target.leaf)))
            else:
                number = target.produced.numbers[output]
                way = "whole" if alone and not viewed else "share"
                plan.append((index, way, number, (sequence_of(target.node), output)))

        def computed(grad_inputs, grad_outputs):
            if self.tracing.over:
                return None
            with Body(self.tracing):
                self.computed(produced, kind, results, plan, contributions, grad_inputs, frame)
            return None

        return owner.node.register_hook(computed)

    def computed(
        self, produced: Produced, kind, results, plan, contributions, grad_inputs, frame
    ) -> None:
        """Tell what a node has computed."""
        recorder = self.recorder
        op = produced.op
        base = op.name if op is not None else kind
        reads = tuple(self.gradient_of(one) for one in results)
        writes, values = [], []
        for index, way, target, key in plan:
            gradient = grad_inputs[index] if index < len(grad_inputs) else None
            if way == "leaf":
                contributions.setdefault(key, []).extend(reads)
                continue
            if gradient is None:
                continue
            if way == "part":
                leaf = target()
                if leaf is None:
                    continue
                name = self.names.leaf(leaf, frame)[0]
            else:
                name = recorder.name(target)
            if way == "whole":
                number = self.gradient_of(target)
            else:
                own = "%s.grad@%s" % (name, base)
                number = recorder.tensor(gradient, own, "gradient", gradient_of=name)
                contributions.setdefault(key, []).append(number)
            writes.append(number)
            values.append(gradient)
        if not writes:
            return
        made = recorder.op(
            "backward",
            recorder.unique("backward", base),
            kind,
            self.place,
            reads,
            tuple(writes),
            op.module if op is not None else None,
            forward=op.id if op is not None else None,
        )
        recorder.told(made, values)

    def hook_leaf(self, owner: Owner, graph, contributions: dict, frame):
        """The gradient of a parameter has been put on what was there."""
        parameter = weakref.ref(owner.leaf)
        key = id(owner.leaf)
        before = owner.leaf.grad is not None

        def accumulated(grad_inputs, grad_outputs):
            if self.tracing.over:
                return None
            with Body(self.tracing):
                leaf = parameter()
                if leaf is not None and leaf.grad is not None:
                    self.accumulated(leaf, tuple(contributions.get(key, ())), before, frame)
            return None

        return owner.node.register_hook(accumulated)

    def accumulated(self, leaf, reads: tuple, before: bool, frame: FrameType) -> None:
        """Tell of the gradient of a parameter."""
        recorder, names = self.recorder, self.names
        names.parameter(leaf, frame)
        gradient = leaf.grad
        write = names.gradient(leaf, gradient, frame)
        op = recorder.op(
            "backward",
            recorder.unique("backward", recorder.name(write)),
            "AccumulateGrad",
            self.place,
            reads,
            (write,),
            names.leaf(leaf, frame)[1],
            adds=before,
        )
        recorder.told(op, [gradient])
        self.writes.note_gradient(leaf)
        names.remember(gradient, write)
        self.left[id(leaf)] = (weakref.ref(leaf), weakref.ref(gradient), version_of(gradient))

    # -- after

    def end(self, inputs: tuple, results, frame: FrameType) -> None:
        """``autograd.grad`` has returned: its results are tensors that can be read."""
        if not inputs or not isinstance(results, tuple):
            return
        recorder, names = self.recorder, self.names
        kind = self.tracing.torch.Tensor
        pairs = [
            (one, result)
            for one, result in zip(inputs, results)
            if isinstance(one, kind) and isinstance(result, kind)
        ]
        if not pairs:
            return
        sources = self.reading.of([one for one, _ in pairs], "grad", frame)[0]
        numbers = []
        for source, (_, result) in zip(sources, pairs):
            name = recorder.name(source)
            numbers.append(recorder.tensor(result, "grad(%s)" % name, "gradient", gradient_of=name))
        name = recorder.unique("backward", "autograd.grad")
        op = recorder.op("backward", name, "autograd.grad", self.place, sources, tuple(numbers))
        at = len(recorder.story)
        recorder.told(op, [result for _, result in pairs])
        for number, (_, result) in zip(numbers, pairs):
            names.remember(result, number)
            node = result.grad_fn
            if node is not None:
                made = Produced(
                    op, [None] * result.output_nr + [number], at, recorder.iteration, False
                )
                self.reading.produced.setdefault(sequence_of(node), made)

    def reduced(self) -> None:
        """What the ranks have made of the gradients together, where there are several."""
        distributed = sys.modules.get("torch.distributed")
        if distributed is None or not distributed.is_available():
            return
        if not distributed.is_initialized() or distributed.get_world_size() < 2:
            return
        leaves = [ref() for ref, _, _ in self.left.values()]
        leaves = [one for one in leaves if one is not None and one.grad is not None]
        if not leaves:
            return
        recorder = self.recorder
        writes = tuple(self.names.gradient(one, one.grad, self.frame) for one in leaves)
        name = recorder.unique("backward", "all_reduce")
        op = recorder.op("backward", name, "all_reduce", self.place, writes, writes)
        recorder.told(op, [one.grad for one in leaves])
        self.writes.remember(leaves, writes)
        self.left = {
            id(one): (weakref.ref(one), weakref.ref(one.grad), version_of(one.grad))
            for one in leaves
        }


def install(tracing: Tracing, backward: Backward, hiding: Hiding) -> None:
    """Be there at each call of the engine."""
    autograd = tracing.torch.autograd
    run = autograd._engine_run_backward
    here = tracing.here
    getframe = sys._getframe

    @functools.wraps(run)
    def engine(t_outputs, *args, **kwargs):
        if tracing.over or here.off or tracing.transforms() is not None:
            return run(t_outputs, *args, **kwargs)
        frame = getframe(1)
        handles: list = []
        here.backward += 1
        away = hiding.away(False)
        try:
            inputs = args[3] if len(args) > 3 else kwargs.get("inputs", ())
            accumulate = kwargs.get("accumulate_grad", True)
            with Body(tracing):
                given = args[0] if args else ()
                backward.begin(t_outputs, given, accumulate, frame, handles)
            results = run(t_outputs, *args, **kwargs)
            with Body(tracing):
                if not tracing.over and here.backward == 1:
                    if not accumulate:
                        backward.end(tuple(inputs), results, frame)
                    else:
                        backward.reduced()
            return results
        except BaseException as problem:
            stripped(problem, own, 0)
            raise
        finally:
            hiding.back(away)
            here.backward -= 1
            for handle in handles:
                handle.remove()

    own = {engine.__code__}
    for module in (autograd, sys.modules.get("torch.autograd.graph")):
        if module is not None and getattr(module, "_engine_run_backward", None) is run:
            module._engine_run_backward = engine
