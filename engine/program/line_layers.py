"""The [[layers]] of a network of lines: each is read when what it makes is first asked for.

So what reads what decides the order: lines stand in theirs, a layer before the first that reads it,
and behind all lines those that no line reads.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from engine.arrays import Shape
from engine.experiment.spec import Experiment, LayerSpec, LearningSpec, LinearSpec
from engine.lines.line import Line
from engine.lines.mask import mask
from engine.lines.node import Misfit, Node, extent, formula, tensor
from engine.lines.reader import Lines
from engine.lines.scope import Scope
from engine.nn.line_row import LineRow, Unfit, Weight, Written
from engine.nn.line_rows import BOTH
from engine.nn.line_table import LINE_LAYERS
from engine.nn.plain_rows import LinearRow, Pointwise
from engine.nn.table import LAYERS
from engine.program.graph import settings

Note = Callable[[str, str], None]


def row_of(spec: LayerSpec) -> LineRow:
    """The row of a layer's table, with its options."""
    if isinstance(spec, LinearSpec):
        return LinearRow(spec.out, spec.bias is not False)
    kind = LINE_LAYERS.get(spec.type) or BOTH.get(spec.type)
    if kind is not None:
        return kind(**settings(spec, kind))
    function = LAYERS[spec.type].function
    return Pointwise(function(**settings(spec, function)))


@dataclass(frozen=True)
class Held:
    """A parameter or a buffer of a layer: its tensor, the layer's place, its role there."""

    name: str
    place: int
    role: str
    weight: Weight
    buffer: bool = False


class LayerLines(Lines):
    """The lines of one layer under their names in the network; folded, names are their trees."""

    def __init__(self, text: str, scope: Scope, layer: str, apart: bool) -> None:
        super().__init__(text, scope)
        self.layer = layer
        self.apart = apart

    def add(self, line: Line) -> None:
        """Keep a line as one of the layer."""
        name, root = f"{self.layer}.{line.name}", line.root
        self.lines.append(replace(line, name=name, number=0, column=0, layer=self.layer))
        self.scope.tensors[line.name] = tensor(name, root.shape, root.kind) if self.apart else root


class Layers:
    """The layers of one size of batch; ``held`` has their parameters and buffers by name.

    ``problem`` notes what is wrong, ``unfold`` has the names of the layers whose lines are ops of
    their own.
    """

    def __init__(
        self, experiment: Experiment, rows: int, unfold: Sequence[str], problem: Note
    ) -> None:
        self.experiment = experiment
        self.rows = rows
        self.unfold = unfold
        self.problem = problem
        self.names = experiment.layer_names
        self.places = {name: i for i, name in enumerate(self.names)}
        self.made: set[str] = set()
        self.asked: dict[str, str] = {}  # who asked for a layer that is still to be made
        self.held: dict[str, Held] = {}
        self.read_in: set[int] = set()  # the places of the layers in which nothing was wrong

    def demand(self, name: str, lines: Lines) -> None:
        """Make the layer that makes this tensor, where it is still to be made."""
        layer = self.owner(name)
        if layer is not None and name != layer and layer not in self.made:
            self.make(layer, lines)

    def owner(self, name: str) -> str | None:
        """The layer that makes a tensor, or that has this name."""
        layer = name.partition(".")[0].partition("[")[0]
        return layer if layer in self.places else None

    def rest(self, lines: Lines) -> None:
        """Make the layers that no line has asked for, in their order."""
        lines.making = ""
        for name in self.names:
            if name not in self.made:
                self.make(name, lines)

    def make(self, name: str, lines: Lines) -> None:
        """Append the lines of a layer, behind those of the layers that it reads."""
        for one in self.needed(name, lines):
            self.append(one, lines)

    def needed(self, name: str, lines: Lines) -> list[str]:
        """A layer behind those that it reads, as far as they are still to be made."""
        # Without recursion: layers may stand in a row of thousands.
        self.asked = {name: ""}
        order: list[str] = []
        path = [(name, iter(self.sources(name)))]
        while path:
            one, sources = path[-1]
            source = next(sources, None)
            if source is None:
                path.pop()
                order.append(one)
            elif source in (waiting := [known for known, _ in path]):
                cycle = " → ".join([*waiting[waiting.index(source) :], source])
                self.problem(f"layers[{self.places[source]}].inputs", f"a cycle: {cycle}")
                lines.expressions.missing.add(f"{source}.out")
            elif source not in self.made and source not in self.asked:
                self.asked[source] = one
                path.append((source, iter(self.sources(source))))
        return order

    def sources(self, name: str) -> list[str]:
        """The layers that a layer reads, and the one whose parameters it shares."""
        place = self.places[name]
        spec = self.experiment.layers[place]
        found = [self.owner(one) for one in self.given(place, spec)]
        shared = spec.shared if isinstance(spec, LearningSpec) else None
        return [one for one in (shared, *found) if one is not None and one in self.places]

    def given(self, place: int, spec: LayerSpec) -> list[str]:
        """The names of a layer's inputs."""
        return spec.inputs or [self.names[place - 1] if place else "x"]

    def append(self, name: str, lines: Lines) -> None:
        """Append the lines of a layer, whose inputs are there if they can be."""
        place = self.places[name]
        spec = self.experiment.layers[place]
        self.made.add(name)
        found = [self.input(place, one, lines) for one in self.given(place, spec)]
        inputs = [one for one in found if one is not None]
        lines.expressions.missing.add(f"{name}.out")
        if len(inputs) < len(found):
            return
        try:
            made = self.read(place, spec, inputs, lines)
        except Misfit as misfit:
            option = getattr(misfit, "option", "")
            path = f"layers[{place}].{option}" if option else f"layers[{place}]"
            self.problem(path, f"{name}: {misfit}")
            return
        for line in made:
            lines.lines.append(line)
            if line.role != "buffer":
                known = tensor(line.name, line.root.shape, line.root.kind)
                lines.scope.tensors[line.name] = known
        lines.expressions.missing.discard(f"{name}.out")
        self.read_in.add(place)

    def input(self, place: int, name: str, lines: Lines) -> Node | None:
        """What an input's name stands for: a layer's output, a line, x or y."""
        own = f"{name}.out" if name in self.places else name
        if own in lines.scope.tensors:
            return lines.scope.tensors[own]
        if own not in lines.expressions.missing:
            self.problem(f"layers[{place}].inputs", self.absent(place, name, lines))
        return None

    def absent(self, place: int, name: str, lines: Lines) -> str:
        """What to say of an input that is not there."""
        own = self.names[place]
        path = [own]
        while asking := self.asked.get(path[-1]):
            path.append(asking)
        if lines.making and name == lines.making:
            return f"a cycle: {' → '.join([name, *reversed(path), name])}"
        if re.search(rf"^\s*{re.escape(name)}\s*=", lines.text, re.MULTILINE):
            said = f"{own} reads {name}, and {lines.making} reads {path[-1]}"
            return f"{said}: the line of {name} has to stand before that of {lines.making}"
        known = [*self.names, *(one for one in lines.scope.tensors if "." not in one)]
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known[:8])}"
        return f"{own} reads {name}, which nothing makes: {hint}"

    def read(self, place: int, spec: LayerSpec, inputs: list[Node], lines: Lines) -> list[Line]:
        """The lines of a layer for its inputs; raises Misfit."""
        name, row = self.names[place], row_of(spec)
        least, most = row.fewest, row.most
        if len(inputs) < least or (most is not None and len(inputs) > most):
            wanted = (
                f"{least}"
                if least == most
                else f"{least} or more"
                if most is None
                else f"{least} to {most}"
            )
            raise Unfit(f"{spec.type} takes {wanted} inputs, not {len(inputs)}", "inputs")
        training = self.experiment.training.mode == "train"
        written = row.written(inputs, training)
        shared = spec.shared if isinstance(spec, LearningSpec) else None
        owner = shared or name
        local = dict(self.parameters(place, owner, written, lines))
        local |= named_inputs(inputs)
        before: list[Line] = []
        if written.mask is not None:
            before = [self.mask(place, name, written.mask, inputs[0].shape)]
            local["mask"] = tensor(before[0].name, before[0].root.shape)
        output = f"{name}.out"
        apart = bool({name, output, "all"} & set(self.unfold))
        scope = Scope(dict(local), {"N": self.rows}, lines.scope.functions)
        reader = LayerLines(written.text, scope, name, apart)
        reader.read()
        if reader.faults:
            option = "formula" if spec.type == "expression" else ""
            raise Unfit(str(reader.faults[0].message), option)
        lines.expressions.mixed |= reader.expressions.mixed
        self.check_output(reader.lines[-1].root)
        made = reader.lines if apart else reader.lines[-1:]
        if len(made) > 1:
            made = [replace(line, whole=output) for line in made]
        made = [replace(line, text=self.text(line, spec.type, inputs)) for line in made]
        return [*before, *made, *self.updates(name, written, local, lines)]

    def check_output(self, root: Node) -> None:
        """Raise Misfit where the batch is lost."""
        if root.shape[:1] != (self.rows,):
            raise Unfit(f"its output has shape {root.shape}: axis 0 is not the samples any more")

    def text(self, line: Line, kind: str, inputs: Sequence[Node]) -> str:
        """The equation of a layer's line; a long one in a word."""
        if short(line.root):
            return f"{line.name} = {formula(line.root).text()}"
        given = ", ".join(formula(one).text() for one in inputs)
        return f"{line.name} = {kind}({given})"

    def parameters(
        self, place: int, owner: str, written: Written, lines: Lines
    ) -> Iterator[tuple[str, Node]]:
        """The parameters and buffers of a layer by role; those of ``owner`` where they are shared.

        Raises Unfit where they are shared and have other shapes there.
        """
        parts = ((written.parameters, False), (written.buffers, True))
        for role, weight, buffer in ((r, w, b) for part, b in parts for r, w in part.items()):
            name = f"{owner}.{role}"
            known = self.held.setdefault(name, Held(name, place, role, weight, buffer))
            if known.weight.shape != weight.shape:
                said = f"{name} has shape {known.weight.shape}, and here it would take"
                raise Unfit(f"{said} {weight.shape}", "shared")
            found = tensor(name, weight.shape)
            lines.scope.tensors[name] = found
            yield role, found

    def mask(self, place: int, name: str, p: float, shape: Shape) -> Line:
        """The line that draws a mask."""
        root = mask(p, self.experiment.seed, place, shape)
        own = f"{name}.mask"
        text = f"{own} = [u ≥ {p:g}] / {1 - p:g}, u random"
        return Line(own, text, 0, root, layer=name, role="mask")

    def updates(
        self, name: str, written: Written, local: Mapping[str, Node], lines: Lines
    ) -> Iterator[Line]:
        """The lines that renew what a layer keeps."""
        for role, text in written.updates.items():
            scope = Scope(dict(local), {"N": self.rows}, lines.scope.functions)
            reader = Lines(f"renewed = {text}", scope)
            reader.read()
            assert not reader.faults, reader.faults
            root, own = reader.lines[0].root, f"{name}.{role}"
            said = f"{own} ← {formula(root).text()}"
            yield Line(own, said, 0, root, layer=name, role="buffer")


def named_inputs(inputs: Sequence[Node]) -> dict[str, Node]:
    """The inputs as lines name them: z, or z1, z2, …"""
    if len(inputs) == 1:
        return {"z": inputs[0]}
    return {f"z{i}": one for i, one in enumerate(inputs, 1)}


MAX_SHORT = 60  # nodes of a tree that is still written out


def short(root: Node) -> bool:
    """Whether a tree is small enough to be read as a formula."""
    return extent(root) <= MAX_SHORT
