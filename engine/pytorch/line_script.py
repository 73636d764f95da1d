"""A network of lines in PyTorch: its parameters as leaves, its lines as functions of x and y."""

import keyword
import re
from collections import Counter
from collections.abc import Iterator

from engine.lines.line import Line
from engine.lines.node import Call, Constant, Node, Tensor, ordered
from engine.program.line_network import Graph, LineNetwork
from engine.program.program import Program
from engine.pytorch.line_functions import expression

# What a script has beside its tensors: one of that name gets an underscore.
TAKEN = frozenset(
    (
        "base64",
        "math",
        "zlib",
        "np",
        "torch",
        "nn",
        "F",
        "packed",
        "x_all",
        "y_all",
        "lines",
        "parameters",
        "trained",
        "frozen",
        "optimizer",
        "rates",
        "rows",
        "size",
        "batches",
        "iteration",
        "epoch",
        "order",
        "part",
        "k",
        "p",
        "name",
        "ITERATIONS",
        "list",
        "tuple",
        "len",
        "range",
        "print",
        "divmod",
    )
)
ELEMENT = re.compile(r"(\w+)((?:\[-?\d+\])+)\Z")


class Names:
    """Python's names for the tensors of a program: their own, wherever Python can have them.

    h[2] stays h[2], in a dictionary h, where nothing else is called h.
    """

    def __init__(self, program: Program) -> None:
        network = program.network
        assert isinstance(network, LineNetwork)
        self.known: dict[str, str] = {"x": "x", "y": "y"}
        every = [*program.tensors, *(line.name for line in network.graph.lines)]
        self.all = set(every)
        for name in every:
            self.of(name)

    @property
    def dictionaries(self) -> list[str]:
        """The dictionaries that indexed tensors stand in."""
        found = (ELEMENT.match(name) for name in self.known.values())
        return list(dict.fromkeys(match[1] for match in found if match))

    def of(self, name: str) -> str:
        """The name of one tensor."""
        if name not in self.known:
            self.known[name] = self.free(name)
        return self.known[name]

    def free(self, name: str) -> str:
        """A name that Python takes, and nothing else has."""
        match = ELEMENT.match(name)
        if match and match[1].isidentifier() and self.may_be(match[1]) and match[1] not in self.all:
            first, *rest = re.findall(r"-?\d+", match[2])
            return f"{match[1]}[{', '.join([first, *rest])}]"
        plain = re.sub(r"\W", "_", name)
        while not self.may_be(plain) or plain in self.known.values():
            plain += "_"
        return plain

    @staticmethod
    def may_be(name: str) -> bool:
        """Whether a script may use a name for a tensor."""
        return name.isidentifier() and not keyword.iskeyword(name) and name not in TAKEN


def line_statements(line: Line, names: Names, dtype: str) -> Iterator[str]:
    """The assignments of one line; what it uses twice gets a name of its own first."""
    made = ordered(line.root)
    uses = Counter(one for node in made if isinstance(node, Call) for one in node.operands)
    texts: dict[Node, str] = {}
    for node in made:
        if isinstance(node, Tensor):
            texts[node] = names.of(node.name)
            continue
        operands = [texts[one] for one in node.operands] if isinstance(node, Call) else []
        texts[node] = expression(node, operands, dtype)
        if uses[node] > 1 and not isinstance(node, Constant):
            own = names.of(f"{line.name}.part{len(texts)}")
            yield f"{own} = {texts[node]}"
            texts[node] = own
    yield f"{names.of(line.name)} = {stripped(texts[line.root])}"


def stripped(text: str) -> str:
    """An expression without parentheses around all of it."""
    if not text.startswith("("):
        return text
    depth = 0
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[1:-1] if i == len(text) - 1 else text
    return text


def function_text(graph: Graph, rows: int, names: Names, dtype: str, name: str) -> str:
    """The lines for a batch of so many rows as a function of x and y that returns the loss."""
    body = [f'"""The loss of {rows} rows."""']
    body += [f"{one} = {{}}" for one in names.dictionaries]
    for line in graph.lines:
        body += line_statements(line, names, dtype)
    body.append(f"return {names.of('loss')}")
    return "\n".join([f"def {name}(x, y):", *(f"    {one}" for one in body)]) + "\n"


def functions_part(program: Program, names: Names) -> str:
    """The functions of all sizes of batch, and ``lines``, which has them by rows."""
    network, dtype = program.network, program.experiment.dtype
    assert isinstance(network, LineNetwork)
    made = [
        function_text(graph, rows, names, dtype, f"lines_{rows}")
        for rows, graph in network.graphs.items()
    ]
    table = ", ".join(f"{rows}: lines_{rows}" for rows in network.graphs)
    return "\n\n".join([*made, f"lines = {{{table}}}\n"])
