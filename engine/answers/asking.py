"""One claim about a run, answered at once: its chain above the right one, dimensions under both."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from engine.answers.expr import Expr
from engine.answers.grading import Grader
from engine.answers.handin import Answer, HandIn
from engine.answers.reading import readings_of
from engine.answers.spoken import held, spoken
from engine.answers.understanding import Read
from engine.answers.values import Mismatch, Spent, Unit
from engine.answers.verdict import Verdict
from engine.errors import GradstepError
from engine.session.session import Session
from engine.worksheet.rows import Layout

GAP, TIMES = " ✗ ", " · "
INDENT = "  "


@dataclass(frozen=True)
class Link:
    """A factor of a chain, and its dimensions in letters; none for a number."""

    text: str
    dims: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """The verdict on a claim, and the chains: the one that was claimed and the right one.

    ``about`` are the names of the tensors of the derivative ∂of/∂wrt, or the one of a tensor.
    """

    verdict: Verdict
    claimed: tuple[Link, ...] = ()
    right: tuple[Link, ...] = ()
    about: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """All of it as text."""
        one = self.verdict
        said = f": {one.message}" if one.message else ""
        found = [f"{one.of} {one.verdict}{said}"]
        found += chained("claimed", self.claimed)
        if not one.right:
            found += chained("right", self.right)
            if not self.right and one.expected is not None:
                found.append(f"{INDENT}right    {one.expected}")
        return tuple(found)


def asked(session: Session, text: str) -> Asked:
    """What there is to say to a claim, ``W1.grad = …``, where a session stands.

    Raises GradstepError for what is no equation, and for a run that no program made.
    """
    left, sign, right = text.partition("=")
    if not (left.strip() and sign and right.strip()):
        raise GradstepError("a claim is an equation: claim dz3/dz2 = W2")
    grader = Grader(session.program, session)
    answer = Answer(left.strip(), right.strip())
    (verdict,) = grader.grade(HandIn("claim", (answer,)))
    read = grader.understanding.read(answer)
    if read is None or read.expr is None or read.target is None:
        return Asked(verdict)
    layout: Layout = "gradient" if verdict.layout == "gradient" else "numerator"
    target = read.target
    about = (target.of,) if target.wrt is None else (target.of, target.wrt)
    return Asked(verdict, links(grader, read, layout), right_links(grader, read, layout), about)


def links(grader: Grader, read: Read, layout: Layout) -> tuple[Link, ...]:
    """The factors of a claim with their dimensions, all sizes different."""
    assert read.expr is not None
    assert read.target is not None
    factors = read.expr.args if read.expr.op == "product" else (read.expr,)
    claim = grader.claim(read.target, read.expr)
    scene, (reading, *_) = claim.scenes[0], readings_of(layout)
    found = []
    for factor in factors:
        try:
            value = claim.value(factor, reading, 0)
        except (Mismatch, Spent):
            return ()
        dims = () if isinstance(value, Unit) or not value.ndim else value.shape
        letters = tuple(scene.lettered((size,)) for size in dims)
        found.append(Link(shown(factor, grader), letters))
    return tuple(found)


def shown(factor: Expr, grader: Grader) -> str:
    """A factor as people write it, in brackets where it would fall apart."""
    return held(factor, spoken(factor, grader.bench.names))


def right_links(grader: Grader, read: Read, layout: Layout) -> tuple[Link, ...]:
    """The factors of the right chain, where the worksheet has one."""
    assert read.target is not None
    row = grader.bench.expected.gradient(read.target)
    if row is None or row.more:
        return ()
    return tuple(
        Link(one.symbol.text(), tuple(size.name for size in one.dims))
        for one in row.factors(layout)
    )


def chained(name: str, chain: Sequence[Link]) -> list[str]:
    """A chain as two lines, the dimensions under the factors; ✗ where neighbours do not fit."""
    if not chain:
        return []
    sizes = ["×".join(link.dims) for link in chain]
    widths = [max(len(link.text), len(size)) for link, size in zip(chain, sizes, strict=True)]
    above, below = chain[0].text.center(widths[0]), sizes[0].center(widths[0])
    for (a, b), size, width in zip(pairwise(chain), sizes[1:], widths[1:], strict=True):
        apart = len(a.dims) == len(b.dims) == 2 and a.dims[1] != b.dims[0]
        above += (GAP if apart else TIMES) + b.text.center(width)
        below += "   " + size.center(width)
    lines = [f"{INDENT}{name:8} {above}", f"{INDENT}{'':8} {below}"]
    return [line.rstrip() for line in lines if line.strip()]
