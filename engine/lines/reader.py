"""The text of lines into trees: statements read, loops unrolled, every shape inferred.

Nothing is evaluated: Python's parser makes a syntax tree, of which only the node types named here
and in ``expressions`` are read. All counts are bounded. A problem says line and column.
"""

import ast
from collections.abc import Callable, Sequence

from engine.lines import elementwise
from engine.lines.expressions import Expressions
from engine.lines.line import Fault, Line
from engine.lines.node import Constant, call, constant, tensor
from engine.lines.scope import Scope, Wrong
from engine.lines.unrolled import substituted

MAX_TEXT = 2**18
MAX_LINES = 20_000
MAX_RANGE = 1_000


class Lines:
    """Reads a text of lines; ``lines`` has what could be read, ``faults`` the rest.

    ``taken`` says why a line cannot make a tensor of a name; empty where it can.
    """

    def __init__(self, text: str, scope: Scope, taken: Callable[[str], str] = lambda _: "") -> None:
        self.text = text
        self.scope = scope
        self.taken = taken
        self.lines: list[Line] = []
        self.faults: list[Fault] = []
        self.expressions = Expressions(scope, self.demand)
        self.making = ""  # the name of the line that is read
        self.rows: list[bytes] = []  # columns of the parser count bytes

    def read(self) -> None:
        """Read everything; one fault a statement."""
        if len(self.text) > MAX_TEXT:
            said = f"{len(self.text):,} characters, more than the limit of {MAX_TEXT:,}"
            self.faults.append(Fault(1, 1, said))
            return
        try:
            body = ast.parse(self.text).body
            self.rows = self.text.encode().splitlines(keepends=True)  # at what ends a line for it
        except SyntaxError as error:
            message = str(error.msg).replace("'=='", "==")
            self.faults.append(Fault(error.lineno or 1, max(error.offset or 1, 1), message))
            return
        except (ValueError, RecursionError, MemoryError) as error:
            self.faults.append(Fault(1, 1, f"cannot be read: {error}"))
            return
        try:
            for statement in body:
                self.statement(statement)
        except RecursionError:
            self.faults.append(Fault(1, 1, "an expression is nested too deeply"))

    def statement(self, node: ast.stmt) -> None:
        """An equation, or a loop over equations."""
        try:
            if isinstance(node, ast.For):
                self.loop(node)
            elif isinstance(node, ast.Assign):
                self.equation(node)
            elif isinstance(node, ast.Pass):
                pass
            elif isinstance(node, ast.AugAssign):
                raise Wrong(node, "a name is assigned once: give the sum a name of its own")
            else:
                raise Wrong(node, "a line is NAME = EXPRESSION, or for NAME in range(…):")
        except Wrong as wrong:
            self.faults.append(Fault(wrong.line, wrong.column, wrong.message))
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if (name := self.expressions.name_of(target)) is not None:
                        self.expressions.missing.add(name)

    def loop(self, node: ast.For) -> None:
        """A loop, unrolled: its body once for each value."""
        if node.orelse:
            raise Wrong(node.orelse[0], "for has no else here")
        if not isinstance(node.target, ast.Name):
            raise Wrong(node.target, "a loop has one variable, for t in range(3):")
        name = node.target.id
        if name in self.scope.tensors:
            raise Wrong(node.target, f"{name} is a tensor already: choose another letter")
        outer = self.scope.loops.get(name)
        if outer is not None:
            raise Wrong(node.target, f"{name} is the variable of a loop around this one")
        before = len(self.faults)
        for value in self.range_of(node.iter):
            self.scope.loops[name] = value
            try:
                for statement in node.body:
                    self.statement(statement)
            finally:
                del self.scope.loops[name]
            if len(self.faults) > before:
                break  # the next rounds would say the same again

    def range_of(self, node: ast.expr) -> Sequence[int]:
        """The values of ``range(…)``, with constants of at most 1,000 steps."""
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "range"
            and not node.keywords
        ):
            raise Wrong(node, "a loop runs over range(…) with whole numbers")
        ends = [self.expressions.known.whole(one) for one in node.args]
        if not 1 <= len(ends) <= 3 or (len(ends) == 3 and ends[2] == 0):
            raise Wrong(node, "write range(stop), range(start, stop) or range(start, stop, step)")
        values = range(*ends)
        if len(values) > MAX_RANGE:
            raise Wrong(node, f"{len(values):,} rounds, more than the limit of {MAX_RANGE:,}")
        return values

    def equation(self, node: ast.Assign) -> None:
        """NAME = EXPRESSION."""
        if len(node.targets) != 1:
            raise Wrong(node.targets[1], "a line assigns one name")
        target = node.targets[0]
        name = self.expressions.name_of(target)
        if name is None:
            said = "only a name can be assigned, z or h[t]"
            raise Wrong(target, said)
        if any(line.name == name for line in self.lines[-1:]) or name in self.scope.tensors:
            raise Wrong(target, f"{name} is assigned already: a name is assigned once")
        if said := self.taken(name):
            raise Wrong(target, said)
        if len(self.lines) >= MAX_LINES:
            raise Wrong(node, f"more than {MAX_LINES:,} lines")
        self.making = name
        root = self.expressions.expression(node.value)
        if isinstance(root, Constant):
            root = call(
                elementwise.WHERE,
                (constant(True), self.expressions.real(root), self.expressions.real(root)),
            )
        text = self.written(node)
        self.add(Line(name, text, node.lineno, root, node.col_offset + 1))

    def demand(self, name: str) -> None:
        """A name is about to be read: whoever can still make it does."""

    def add(self, line: Line) -> None:
        """Keep a line; from here on its name can be read."""
        self.lines.append(line)
        self.scope.tensors[line.name] = tensor(line.name, line.root.shape, line.root.kind)

    def written(self, node: ast.Assign) -> str:
        """The equation as it stands in the text, with the values of loop variables."""
        found = segment(self.rows, node)
        found = " ".join(part.strip() for part in found.splitlines())
        return substituted(found, self.scope.loops) if self.scope.loops else found


def segment(rows: Sequence[bytes], node: ast.stmt) -> str:
    """The text of a statement; as ``ast.get_source_segment``, which splits all of it each time."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    parts = list(rows[first : last + 1])
    parts[-1] = parts[-1][: node.end_col_offset]
    parts[0] = parts[0][node.col_offset :]
    return b"".join(parts).decode()
