"""Answers in Markdown and LaTeX: the steps in a list, the forward table, and equations.

Prose is passed over. What is read are numbered lists about the steps, tables with a column for
inputs and one for outputs, equations on display, and lines that are an equation and nothing else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.answers.expr import Unread
from engine.answers.handin import MOST_ANSWERS, Answer
from engine.answers.latex import MOST, flat_text
from engine.answers.steps import phase_of
from engine.errors import GradstepError

OPENS = re.compile(r"\$\$|\\\[|```math\n")
CLOSES = {"$$": "$$", "\\[": "\\]", "```math\n": "```"}
ENVIRONMENT = re.compile(
    r"\\begin\{(equation|align|gather|multline|eqnarray|displaymath)(\*?)\}(.+?)\\end\{\1\2\}",
    re.DOTALL,
)
TABULAR = re.compile(r"\\begin\{(tabularx?|array)\}(.*?)\\end\{\1\}", re.DOTALL)
COMMENT = re.compile(r"(?<!\\)%[^\n]*")
ITEM = re.compile(r"\s*(?:\d+[.)]|\(\d+\))\s+(.*)")
BULLET = re.compile(r"\A\s*(?:[-*+>]|\d+[.)]|\([a-z0-9]\)|[a-z]\))\s+")
RULE = re.compile(r"\s*\|?[\s:|-]+\|?\s*\Z")
CONTINUES = re.compile(r"\s*(?:if|else|otherwise|when|where|=|\+|-|·|\*)")
CONDITIONAL = re.compile(r"\b(?:if|when|where|otherwise|else)\b|[{\[]\s*[^}]*\bif\b|𝟙")
BOLD = re.compile(r"\*\*(.+?)\*\*")
DIMENSIONS = re.compile(
    r"(?:\s+[(\[]|\s*∈\s*ℝ\s*\^\s*\{?|,?\s+)\s*(\w+)\s*×\s*(\w+)\s*[)\]}]?\s*\Z"
)
MOST_TEXT, MOST_ENVIRONMENTS = 2**18, 1000  # of a document
STEPS = 4  # lines about steps that make a list one


@dataclass(frozen=True)
class Piece:
    """A piece of a document: what kind it is, its text, and the line that it begins in."""

    kind: str
    text: str
    line: int


def read_document(text: str, kind: str) -> list[Answer]:
    """The answers of a document; raises GradstepError where there are too many."""
    if len(text) > MOST_TEXT or text.count("\\begin") > MOST_ENVIRONMENTS:
        raise GradstepError(
            f"more than {MOST_TEXT:,} characters or {MOST_ENVIRONMENTS} environments"
        )
    if kind in (".tex", ".latex"):
        text = as_markdown(text)
    found: list[Answer] = []
    for answer in answers(text):
        found.append(answer)
        if len(found) > MOST_ANSWERS:
            raise GradstepError(f"more than {MOST_ANSWERS} answers")
    return found


def as_markdown(text: str) -> str:
    """The body of a LaTeX document with the marks that Markdown has, line for line."""
    text = COMMENT.sub("", text)
    begin, end = text.find(r"\begin{document}"), text.find(r"\end{document}")
    if begin >= 0:
        head = text[: begin + len(r"\begin{document}")]
        text = "\n" * head.count("\n") + text[len(head) : end if end > begin else None]
    text = ENVIRONMENT.sub(displayed, text)
    text = TABULAR.sub(table, text)
    return re.sub(r"\\item(?:\[[^\]]*\])?\s*", "1. ", text)


def displayed(found: re.Match[str]) -> str:
    """An environment of equations as $$ … $$."""
    name, inner = found.group(1), found.group(3)
    if name in ("align", "gather", "eqnarray"):
        inner = rf"\begin{{aligned}}{inner}\end{{aligned}}"
    return f"$${inner}$$"


def table(found: re.Match[str]) -> str:
    """The rows of a tabular with | between the cells."""
    inner = re.sub(r"\A\s*(?:\{[^{}]*\}){1,2}", "", found.group(2))
    inner = re.sub(r"\\(?:hline|toprule|midrule|bottomrule|centering)\b", "", inner)
    rows = [re.sub(r"\s*\n\s*", " ", row) for row in re.split(r"\\\\", inner)]
    cells = [re.split(r"(?<!\\)&", row) for row in rows if row.strip()]
    made = "\n".join("| " + " | ".join(c.strip() for c in row) + " |" for row in cells)
    return f"\n{made}\n"


def answers(text: str) -> Iterator[Answer]:
    """The answers in the order in which they stand."""
    for piece in pieces(text):
        match piece.kind:
            case "steps":
                lines = piece.text.split("\n")
                yield Answer("steps", lines, piece.line)
            case "table":
                yield from of_table(piece)
            case "display":
                yield from equations(piece, True)
            case _:
                yield from equations(piece, False)


def pieces(text: str) -> Iterator[Piece]:
    """Displays, tables, lists of steps, and lines that may be an equation."""
    at = line = 0
    for start, end, inner in displays(text):
        yield from of_lines(text[at:start], line + 1)
        line += text.count("\n", at, start)
        yield Piece("display", inner, line + 1)
        line += text.count("\n", start, end)
        at = end
    yield from of_lines(text[at:], line + 1)


def displays(text: str) -> Iterator[tuple[int, int, str]]:
    """Where each display begins and ends, and what is in it; one that never ends is none."""
    at, endless = 0, set()
    while (found := OPENS.search(text, at)) is not None:
        opening = found.group()
        close = CLOSES[opening]
        # Whatever has no end here has none later: the text is searched for it only once.
        end = -1 if opening in endless else text.find(close, found.end())
        if end < 0:
            endless.add(opening)
            at = found.end()
            continue
        at = end + len(close)
        yield found.start(), at, text[found.end() : end]


def of_lines(text: str, first: int) -> Iterator[Piece]:
    """Tables, lists of steps and single lines of what stands between displays."""
    lines = text.split("\n")
    i = 0
    while i < len(lines):
        end = i
        while end < len(lines) and lines[end].lstrip().startswith("|"):
            end += 1
        if end - i >= 2:
            yield Piece("table", "\n".join(lines[i:end]), first + i)
            i = end
            continue
        items: list[str] = []
        end = i
        while end < len(lines) and (ITEM.match(lines[end]) or (items and not lines[end].strip())):
            found = ITEM.match(lines[end])
            items += [found.group(1)] if found is not None else []
            end += 1
        about = sum(phase_of(item) is not None for item in items)
        if about >= STEPS and about >= len(items) - 1:
            yield Piece("steps", "\n".join(items), first + i)
            i = end
            continue
        if "=" in lines[i]:
            yield Piece("line", lines[i], first + i)
        i += 1


def cells_of(line: str) -> list[str]:
    """The cells of a row; a | in a formula, or with \\ before it, divides nothing."""
    cells, cell, math = [], "", False
    row = line.strip().strip("|")
    i = 0
    while i < len(row):
        if row[i] == "\\" and i + 1 < len(row):
            escaped = row[i + 1] == "|" and not math
            cell += "|" if escaped else row[i : i + 2]
            i += 2
            continue
        math ^= row[i] == "$"
        if row[i] == "|" and not math:
            cells.append(cell.strip())
            cell = ""
        else:
            cell += row[i]
        i += 1
    return [*cells, cell.strip()]


def of_table(piece: Piece) -> Iterator[Answer]:
    """The inputs and outputs of a table that has columns for them."""
    rows = [cells_of(line) for line in piece.text.split("\n") if not RULE.match(line)]
    heads = [bare(cell).lower() for cell in rows[0]]
    columns = {
        side: next((i for i, head in enumerate(heads) if side in head), None)
        for side in ("input", "output")
    }
    if None in columns.values():
        return
    line = piece.line + 1
    for row in rows[1:]:
        line += 1
        label = bare(row[0])
        for side, i in columns.items():
            if i is not None and i < len(row) and row[i]:
                yield formula(f"{label}.{side}", row[i], line)


def bare(cell: str) -> str:
    """A cell without the signs of mathematics and type faces: Linear_1."""
    return re.sub(r"[$*`\\]|\b(?:text|mathrm|textbf)\b|[{}]", "", cell).strip()


def formula(key: str, source: str, line: int, shown: str = "") -> Answer:
    """An answer whose text may be LaTeX; that which cannot be read says where."""
    source = source.strip().strip("`").rstrip(".,;")
    try:
        flat = flat_text(source)
    except Unread as error:
        return Answer(key, source, line, error.message, error.place, shown or source)
    parts = " ".join(flat.text.split())
    return Answer(key, parts, line, shown=shown or source)


def equations(piece: Piece, display: bool) -> Iterator[Answer]:
    """The equations of a display, or the one that a line is."""
    if len(piece.text) > MOST and not display:
        return  # no equation is so long
    source = piece.text if display else BULLET.sub("", piece.text).strip().rstrip(".,;")
    source = source if display else BOLD.sub(r"\1", source).replace("`", "")
    try:
        if len(source) > MOST:
            raise Unread(f"{len(source):,} characters are more than {MOST:,}", MOST)
        flat = flat_text(source)
    except Unread as error:
        if display and "=" in source:
            left = source.partition("=")[0].strip()
            yield Answer(left, source, piece.line, error.message, error.place, source)
        return
    for text in joined(flat.text.split("\n")):
        left, _, right = text.partition("=")
        right, size = dimensioned(right)
        for part in sides(right):
            yield Answer(left.strip(), part, piece.line, shown=part, found=True)
        if size:
            yield Answer(f"shape({left.strip()})", size, piece.line, shown=size, found=True)


def dimensioned(right: str) -> tuple[str, str]:
    """A right side and the dimensions that stand after it, (h×K) or ∈ ℝ^{h×K}; empty without."""
    found = DIMENSIONS.search(right)
    if found is None:
        return right, ""
    return right[: found.start()], f"{found.group(1)}×{found.group(2)}"


def joined(lines: list[str]) -> list[str]:
    """Lines of a display, those that go on put behind the ones that they belong to."""
    found: list[str] = []
    for line in lines:
        if found and (CONTINUES.match(line) or "=" not in line):
            found[-1] += " " + line
        elif "=" in line:
            found.append(line)
    return [" ".join(line.split()).rstrip(" .,;") for line in found]


def sides(right: str) -> list[str]:
    """What stands between signs of equality, each a claim of its own; not those of conditions."""
    if CONDITIONAL.search(right) or ("_{" in right and "Σ" in right):
        return [right.strip()] if right.strip() else []
    return [one.strip() for one in right.split("=") if one.strip()]
