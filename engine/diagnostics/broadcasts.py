"""Operands of a line that are broadcast against each other as they hardly were meant to be."""

from collections.abc import Iterator
from functools import cached_property

from engine.diagnostics.detector import Detector
from engine.diagnostics.diagnosis import Card, Certainty, Found, Severity
from engine.diagnostics.line_facts import of_samples, word
from engine.lines.line import Line
from engine.lines.node import Call, Node, described, ordered
from engine.program.line_network import Graph, LineNetwork
from engine.program.line_pass import pass_over
from engine.program.program import Program

ELEMENTWISE = ("+", "-", "*", "/", "**", "maximum", "minimum", "where", ">", "<", ">=", "<=")


class PairedSamples(Detector):
    """Every sample against every other: (N,) beside (N, 1) makes (N, N)."""

    card = Card(
        name="paired-samples",
        title="Every sample is paired with every other",
        looks="Functions of elements in lines: two operands that both have a row for each sample, "
        "one of shape (N,) and the other (N, 1), which broadcast to (N, N).",
        levels="serious: one of them is y, or the loss reads what comes of it; warning: elsewhere",
        cause="axes are paired from the last one: the N of (N,) meets the 1 of (N, 1), and not "
        "its N",
        remedy="give both the same axes: y[:, None], or z[:, 0], or reshape",
        certainty=Certainty.LIKELY,
    )

    @cached_property
    def told(self) -> list[Found]:
        """The findings, made once: shapes are known before anything runs."""
        network = self.program.network
        if not isinstance(network, LineNetwork):
            return []
        rows = max(network.graphs)
        # With one row more a size that happens to be N is told from N.
        other = pass_over(self.program, rows + 1)
        again = None if other is None else {name for name, _ in self.pairs(other.graph, rows + 1)}
        lines = {line.name: line for line in network.graph.lines}
        return [
            self.finding(lines[name], pair, network)
            for name, pair in self.pairs(network.graph, rows)
            if again is None or name in again
        ]

    def pairs(self, graph: Graph, rows: int) -> Iterator[tuple[str, tuple[Node, Node]]]:
        """The pairs in the lines of so many rows, with the name of the line."""
        for line in graph.lines:
            for node in ordered(line.root):
                if (pair := paired(self.program, node, rows)) is not None:
                    yield line.name, pair

    def finding(self, line: Line, pair: tuple[Node, Node], network: LineNetwork) -> Found:
        """The finding about one function of a line."""
        flat, column = pair
        ops = (op.index for op in self.program.ops if op.writes == (line.name,))
        near = line is network.graph.loss or any(
            getattr(one, "name", "") == "y" for one in ordered(flat, column)
        )
        rows = flat.shape[0]
        return Found(
            next(ops, 0),
            line.name,
            f"{described(flat)}, {described(column)}: together ({rows}, {rows}), every sample with "
            "every other",
            Severity.SERIOUS if near else Severity.WARNING,
            numbers={"rows": rows},
        )

    def found(self) -> Iterator[Found]:
        yield from self.told


def paired(program: Program, node: Node, rows: int) -> tuple[Node, Node] | None:
    """The operands (N,) and (N, 1) of a function of elements, both with a row for each sample."""
    if rows < 2 or not isinstance(node, Call) or word(node) not in ELEMENTWISE:
        return None
    samples = [one for one in node.operands if one.shape[:1] == (rows,)]
    samples = [one for one in samples if of_samples(program, one)]
    flat = next((one for one in samples if one.shape == (rows,)), None)
    column = next((one for one in samples if one.shape == (rows, 1)), None)
    return None if flat is None or column is None else (flat, column)
