"""LaTeX of an answer as the text that the grammar reads; what has no meaning there is named.

pylatexenc makes nodes of the source; it comes with the extra ``latex``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.answers.expr import Unread

MOST = 8000  # characters of one formula
DEEP = 30
EXTRA = (
    "answers in LaTeX need pylatexenc: pip install 'gradstep[latex]', "
    "or write them in Unicode or as in TOML"
)
SIGNS = {
    "partial": "∂", "delta": "δ", "ell": "ℓ", "sigma": "σ", "sum": "Σ", "cdot": "·", "times": "×",
    "odot": "⊙", "circ": "⊙", "top": "ᵀ", "intercal": "ᵀ", "transpose": "ᵀ", "ge": "≥", "geq": "≥",
    "geqslant": "≥", "le": "≤", "leq": "≤", "leqslant": "≤", "ne": "≠", "neq": "≠", "lt": "<",
    "gt": ">", "land": "∧", "wedge": "∧", "lor": "∨", "|": "‖", "Vert": "‖", "lVert": "‖",
    "rVert": "‖", "{": "(", "}": ")", "lbrace": "(", "rbrace": ")", "lbrack": "[", "rbrack": "]",
    "ast": "*", "prime": "′", "div": "/", "eta": "η", "theta": "θ", "lambda": "λ", "alpha": "α",
    "beta": "β", "gamma": "γ", "mu": "μ", "epsilon": "ε", "tau": "τ", "phi": "φ", "omega": "ω",
    "rho": "ρ", "nu": "ν", "xi": "ξ", "pi": "π", "psi": "ψ", "chi": "χ", "kappa": "κ", "zeta": "ζ",
    "nabla": "∇", "in": "∈",
    "newline": "\n", "\\": "\n", "cr": "\n",
}  # fmt: skip
WORDS = {"log", "ln", "exp", "tanh", "max", "diag", "ReLU", "relu", "softmax", "sign"}
SPACE = {
    "left", "right", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr",
    "middle", ",", ";", ":", "!", ">", " ", "quad", "qquad", "displaystyle", "textstyle", "limits",
    "nolimits", "nonumber", "notag", "noindent", "hfill",
}  # fmt: skip
CONTENT = {
    "mathrm", "text", "textrm", "operatorname", "mathbf", "boldsymbol", "bm", "mathit", "mathsf",
    "mathcal", "textbf", "textit", "emph", "mathbb", "mathscr", "vec", "mathds", "mbox", "boxed",
    "underline", "ensuremath", "operatorname*",
}  # fmt: skip
MARKS = {"hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde"}
FRACTIONS = {"frac", "dfrac", "tfrac", "cfrac", "nicefrac"}
DROPPED = {
    "hspace",
    "vspace",
    "label",
    "tag",
    "phantom",
    "vphantom",
    "hphantom",
    "color",
    "hspace*",
}
MATRICES = {
    "matrix",
    "pmatrix",
    "bmatrix",
    "vmatrix",
    "smallmatrix",
    "psmallmatrix",
    "bsmallmatrix",
}
CASES = {"cases", "dcases", "cases*", "rcases"}
PLAIN = {
    "equation", "equation*", "align", "align*", "aligned", "gather", "gather*", "gathered", "split",
    "multline", "multline*", "displaymath", "math", "alignedat", "eqnarray", "eqnarray*",
}  # fmt: skip
CONDITIONS = re.compile(r"\s*(?:if|when|for|else|otherwise|where)\b")
LABELLED = re.compile(r"\s*(\(\d+\))\s*(.+)\Z", re.DOTALL)


@dataclass
class Flat:
    """Text, and for each character of it the place in the source that it was made of."""

    text: str = ""
    places: list[int] = field(default_factory=list)

    def add(self, text: str, place: int) -> None:
        """Append text that one place of the source gave."""
        self.text += text
        self.places += [place] * len(text)

    def join(self, other: "Flat") -> None:
        """Append other text."""
        self.text += other.text
        self.places += other.places

    def part(self, start: int, end: int) -> "Flat":
        """A piece of it."""
        return Flat(self.text[start:end], self.places[start:end])


def flat_latex(source: str) -> Flat:
    """The text that LaTeX means; raises Unread with the place in the source.

    Where pylatexenc is not installed, it says so.
    """
    check_depth(source)
    try:
        from pylatexenc.latexwalker import LatexWalker, LatexWalkerError  # noqa: PLC0415 - an extra
    except ImportError:
        raise Unread(EXTRA, 0) from None
    try:
        nodes = LatexWalker(source, tolerant_parsing=False).get_latex_nodes()[0]
    except LatexWalkerError as error:
        place = getattr(error, "pos", None)
        raise Unread(f"is no LaTeX: {getattr(error, 'msg', error)}", place or 0) from None
    except RecursionError:
        raise Unread("groups in groups without end", 0) from None
    return Reader().all(nodes)


def flat_text(source: str) -> Flat:
    """LaTeX as text, and other text as it is; raises Unread."""
    if any(sign in source for sign in ("\\", "$", "^{", "_{")):
        return flat_latex(source.replace("$", " "))
    return Flat(source, list(range(len(source))))


def check_depth(source: str) -> None:
    """Refuse what is long or nests deep, before anything is made of it."""
    if len(source) > MOST:
        raise Unread(f"{len(source):,} characters are more than {MOST:,}", MOST)
    depth = 0
    for found in re.finditer(r"\\begin\b|\\end\b|\\left\b|\\right\b|\\.|[{}\[\]$^_]", source):
        text = found.group()
        depth += text in ("{", "[", "\\begin", "\\left")
        depth -= text in ("}", "]", "\\end", "\\right")
        if depth > DEEP:
            raise Unread(f"more than {DEEP} groups in groups", found.start())
    if re.search(r"(?:\\[A-Za-z]+\s*){200}|[\^_]{20}", source):
        raise Unread("a chain of commands without end", 0)


class Reader:
    """Turns nodes of pylatexenc into text."""

    def all(self, nodes: Sequence[Any]) -> Flat:
        """The text of a list of nodes."""
        out = Flat()
        skip = False
        for i, node in enumerate(nodes):
            if node is None or skip:
                skip = False
                continue
            if self.kind(node) == "LatexGroupNode" and out.text.rstrip()[-1:] in ("^", "_"):
                out.join(self.script(node))
            elif self.dropped(node) and not self.arguments(node):
                skip = i + 1 < len(nodes) and self.kind(nodes[i + 1]) == "LatexGroupNode"
            else:
                out.join(self.one(node))
        return out

    def kind(self, node: Any) -> str:
        """The class of a node."""
        return type(node).__name__

    def dropped(self, node: Any) -> bool:
        """Whether a node says nothing of the mathematics."""
        return self.kind(node) == "LatexMacroNode" and node.macroname in DROPPED

    def one(self, node: Any) -> Flat:
        """The text of one node; raises Unread for what has no meaning here."""
        out = Flat()
        match self.kind(node):
            case "LatexCharsNode":
                for i, char in enumerate(node.chars):
                    # A line of the source ends nothing, two backslashes do.
                    out.add(" " if char == "\n" else char, node.pos + i)
            case "LatexSpecialsNode":
                out.add(" " if node.specials_chars == "~" else node.specials_chars, node.pos)
            case "LatexCommentNode":
                out.add(" ", node.pos)
            case "LatexGroupNode":
                inner = self.all(node.nodelist)
                if inner.text.strip():
                    out.add("{", node.pos)
                    out.join(inner)
                    out.add("}", node.pos)
            case "LatexMathNode":
                out.join(self.all(node.nodelist))
            case "LatexEnvironmentNode":
                return self.environment(node)
            case _:
                return self.macro(node)
        return out

    def script(self, node: Any) -> Flat:
        """What stands above or below: {(2)ᵀ} are a label and a sign, ^{(2)}^{ᵀ}."""
        inner, out = self.all(node.nodelist), Flat()
        labelled = LABELLED.match(inner.text)
        out.add("{", node.pos)
        if labelled is None:
            out.join(inner)
        else:
            out.add(labelled.group(1) + "}^{", node.pos)
            out.join(inner.part(labelled.start(2), len(inner.text)))
        out.add("}", node.pos)
        return out

    def arguments(self, node: Any) -> list[Any]:
        """The arguments of a macro that are there."""
        found = node.nodeargd.argnlist if node.nodeargd is not None else None
        return [one for one in found or [] if one is not None]

    def inner(self, node: Any) -> Flat:
        """An argument without its braces."""
        if self.kind(node) == "LatexGroupNode":
            return self.all(node.nodelist)
        return self.one(node)

    def macro(self, node: Any) -> Flat:
        """The text of a command."""
        name, out, arguments = node.macroname, Flat(), self.arguments(node)
        if name in SIGNS:
            out.add(SIGNS[name], node.pos)
        elif name in WORDS:
            out.add(f" {name} ", node.pos)
        elif name in SPACE or name in DROPPED:
            out.add(" ", node.pos)
        elif name in FRACTIONS and len(arguments) == 2:
            for i, argument in enumerate(arguments):
                out.add("⁄{" if i else "{", node.pos)
                out.join(self.inner(argument))
                out.add("}", node.pos)
        elif name in MARKS and arguments:
            out.join(self.stripped(self.inner(arguments[-1])))
            out.add(f"{MARKS[name]} ", node.pos)
        elif name in CONTENT and arguments:
            return self.content(name, self.inner(arguments[-1]), node.pos)
        elif name in CONTENT:
            pass  # its argument follows as a group
        elif name == "sqrt" and arguments:
            out.add(" sqrt(", node.pos)
            out.join(self.inner(arguments[-1]))
            out.add(")", node.pos)
        else:
            raise Unread(f"does not know \\{name}", node.pos)
        return out

    def stripped(self, flat: Flat) -> Flat:
        """The text without braces around it."""
        text = flat.text.strip("{} ")
        start = flat.text.find(text)
        return flat.part(start, start + len(text))

    def content(self, name: str, inner: Flat, place: int) -> Flat:
        """Text in another type face: words stand apart, a bold 1 is an indicator."""
        out, bare = Flat(), inner.text.strip()
        if bare == "1" and name in ("mathbb", "mathbf", "mathds", "bm"):
            out.add("𝟙", place)
        elif bare == "R" and name == "mathbb":
            out.add("ℝ", place)
        elif bare == "d" and name == "mathrm":
            out.add("∂", place)
        elif len(bare) > 1:
            out.add(" ", place)
            out.join(inner)
            out.add(" ", place)
        else:
            return inner
        return out

    def environment(self, node: Any) -> Flat:
        """The text of an environment: cases become conditions, equations stand in lines."""
        name = node.environmentname
        if name in CASES:
            return self.cases(node)
        if name in MATRICES:
            return self.matrix(node)
        if name not in PLAIN:
            raise Unread(f"does not know the environment {name}", node.pos)
        inner = self.all(node.nodelist)
        kept = [i for i, char in enumerate(inner.text) if char != "&"]
        return Flat("".join(inner.text[i] for i in kept), [inner.places[i] for i in kept])

    def cases(self, node: Any) -> Flat:
        """``{1 if C; 0 otherwise}``."""
        inner, out = self.all(node.nodelist), Flat()
        out.add("{", node.pos)
        start, first = 0, True
        for row in inner.text.split("\n"):
            if row.strip():
                if not first:
                    out.add(" ; ", inner.places[start])
                first = False
                self.case(inner.part(start, start + len(row)), out)
            start += len(row) + 1
        out.add("}", node.pos)
        return out

    def matrix(self, node: Any) -> Flat:
        """``[[1, 2], [3, 4]]``."""
        inner, out = self.all(node.nodelist), Flat()
        rows = [row for row in inner.text.split("\n") if row.strip()]
        cells = [", ".join(cell.strip() for cell in row.split("&")) for row in rows]
        out.add(f"[{', '.join(f'[{row}]' for row in cells)}]", node.pos)
        return out

    def case(self, row: Flat, out: Flat) -> None:
        """One row of cases: the value, and after & the condition."""
        at = row.text.find("&")
        if at < 0:
            out.join(row)
            return
        value, condition = row.part(0, at), row.part(at + 1, len(row.text))
        out.join(self.shorn(value))
        out.add(" " if CONDITIONS.match(condition.text) else " if ", row.places[at])
        out.join(self.shorn(condition))

    def shorn(self, flat: Flat) -> Flat:
        """The text without a comma at its end."""
        return flat.part(0, len(flat.text.rstrip(" ,.;")))
