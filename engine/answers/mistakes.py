"""Which mistake was made: the answer is mended in every way that people go wrong, and tried again.

Where one change makes an answer right, the change is the mistake. Two changes are tried where one
is not enough.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, permutations

from engine.answers.claim import Claim
from engine.answers.expr import Expr, product, turned
from engine.answers.forms import of_value
from engine.answers.names import Names, Row
from engine.answers.reading import Reading
from engine.answers.values import Spent
from engine.answers.verdict import FLAT, TERM, TURNED, VECTOR_LOSS, Mistake

MISSING, TWICE, TOO_MANY = "factor missing", "factor twice", "a factor too many"
ORDER = "order of factors"
OTHER = "another tensor is meant"
MOST_FACTORS = 5  # whose orders are all tried
Change = tuple[Mistake, Expr]


@dataclass(frozen=True, eq=False)
class Mending:
    """All changes of an expression that undo a mistake."""

    claim: Claim
    names: Names
    rows: list[Row]
    layout: Reading

    def links(self) -> Iterator[tuple[str, Expr]]:
        """Every factor that a chain may need: matrices, derivatives, what layers read."""
        names = self.names
        parameters = {one.name: one for one in names.program.parameters}
        for name in parameters:
            if self.claim.scenes[0].matrix(name):
                yield names.symbol(name), self.laid(Expr("tensor", (), name, names.symbol(name)))
        if self.claim.target.wrt is None:
            return  # what a layer makes is no product of derivatives
        for row in self.rows:
            for read in row.reads:
                if names.program.tensors[read].role != "target" and read not in parameters:
                    symbol = f"∂{names.symbol(row.makes)}/∂{names.symbol(read)}"
                    yield symbol, Expr("partial", (), (row.makes, read, False), symbol)
        for row in self.rows:
            for read in row.reads:
                if names.program.tensors[read].role != "target":
                    # It stands for ∂z/∂W, first: a column in numerator layout.
                    symbol = names.symbol(read)
                    one = Expr("tensor", (), read, symbol)
                    yield symbol, one if self.layout == "numerator" else turned(one)

    def laid(self, one: Expr) -> Expr:
        """A matrix in the layout: it is a Jacobian in numerator layout."""
        return one if self.layout == "numerator" else turned(one)

    def all(self, one: Expr) -> Iterator[Change]:
        """Every single change, the likely ones first."""
        yield from self.untransposed(one)
        yield from self.removed(one)
        yield from self.inserted(one)
        yield from self.terms(one)
        yield from self.turned(one)
        yield from self.reordered(one)
        yield from self.elementwise(one)
        yield from self.replaced(one)

    def untransposed(self, one: Expr) -> Iterator[Change]:
        """Wᵀ wherever W is meant, at all places at once."""
        found, changed = one, []
        for path, node in one.walk():
            if node.op == "transpose" and node.args[0].op == "tensor":
                name = node.args[0].data
                if self.names.program.tensors[name].role == "parameter":
                    found = found.put(path, node.args[0])
                    changed.append(self.names.symbol(name))
        if changed:
            names = list(dict.fromkeys(changed))
            detail = ", ".join(f"{name}ᵀ where {name} is meant" for name in names)
            yield Mistake(TURNED, names[0], detail), found

    def products(self, one: Expr) -> Iterator[tuple[tuple[int, ...], tuple[Expr, ...]]]:
        """The products in an expression, each with its path; a single factor is one too."""
        for path, node in one.walk():
            if node.op == "product":
                yield path, node.args
            elif not path and node.op in ("tensor", "partial", "transpose", "sum", "call"):
                yield path, (node,)

    def removed(self, one: Expr) -> Iterator[Change]:
        """One factor less: it stands twice, or should not be there."""
        for path, factors in self.products(one):
            for i, factor in enumerate(factors):
                rest = factors[:i] + factors[i + 1 :]
                if rest:
                    yield self.superfluous(factor, rest), one.put(path, product(rest))

    def superfluous(self, factor: Expr, rest: tuple[Expr, ...]) -> Mistake:
        """The name of a factor that is too many: is it also in another one?"""
        name = self.symbol(factor)
        if any(factor.same(other) for other in rest):
            return Mistake(TWICE, name)
        if factor.op == "partial":
            for other in rest:
                if other.op == "partial" and other.data[0] == factor.data[0]:
                    return Mistake(TWICE, name, f"once inside {self.symbol(other)}")
                if other.op == "partial" and other.data[1] == factor.data[1]:
                    return Mistake(TWICE, name, f"once inside {self.symbol(other)}")
        return Mistake(TOO_MANY, name)

    def overlap(self, a: Expr, b: Expr) -> Expr | None:
        """The one of two derivatives that is inside the other; None where they do not overlap."""
        if a.op != "partial" or b.op != "partial":
            return None
        if a.data[0] != b.data[0] and a.data[1] != b.data[1]:
            return None
        order = {row.makes: i for i, row in enumerate(self.rows)}
        spans = [order.get(one.data[0], -1) - order.get(one.data[1], -1) for one in (a, b)]
        return a if spans[0] <= spans[1] else b

    def symbol(self, one: Expr) -> str:
        """How a factor is called in a message."""
        if one.op == "transpose":
            inner = self.symbol(one.args[0])
            return f"({inner})ᵀ" if one.args[0].op == "partial" else f"{inner}ᵀ"
        if one.op == "tensor":
            return self.names.symbol(one.data)
        if one.op == "partial":
            of, wrt, _ = one.data
            return f"∂{self.names.symbol(of)}/∂{self.names.symbol(wrt)}"
        return one.text

    def inserted(self, one: Expr) -> Iterator[Change]:
        """One factor more, at every place of every product."""
        links = [pair for pair in self.links() if not self.claim.target.itself(pair[1])]
        for path, factors in self.products(one):
            for symbol, link in links:
                for i in range(len(factors) + 1):
                    more = (*factors[:i], link, *factors[i:])
                    where = between(self, factors, i)
                    yield Mistake(MISSING, symbol, where), one.put(path, product(more))

    def terms(self, one: Expr) -> Iterator[Change]:
        """A vector of parameters added, as b; or one term less."""
        for path, node in one.walk():
            parts = node.args if node.op == "sum" else (node,)
            if node.op != "sum" and (path and not self.argument(one, path)):
                continue
            for parameter in self.names.program.parameters:
                if not self.claim.scenes[0].matrix(parameter.name):
                    symbol = self.names.symbol(parameter.name)
                    term = Expr("tensor", (), parameter.name, symbol)
                    yield Mistake(TERM, symbol), one.put(path, Expr("sum", (*parts, term)))
            for i, part in enumerate(parts) if len(parts) > 1 else ():
                rest = parts[:i] + parts[i + 1 :]
                new = rest[0] if len(rest) == 1 else Expr("sum", rest)
                yield Mistake("a term too many", self.symbol(part)), one.put(path, new)

    def argument(self, one: Expr, path: tuple[int, ...]) -> bool:
        """Whether what is at a path is what a function is applied to."""
        for i in path[:-1]:
            one = one.args[i]
        return one.op in ("call", "norm")

    def turned(self, one: Expr) -> Iterator[Change]:
        """One factor transposed."""
        for path, factors in self.products(one):
            for i, factor in enumerate(factors):
                new = turned(factor)
                said = f"{self.symbol(factor)} where {self.symbol(new)} is meant"
                more = (*factors[:i], new, *factors[i + 1 :])
                yield Mistake(TURNED, bare(self, factor), said), one.put(path, product(more))

    def reordered(self, one: Expr) -> Iterator[Change]:
        """The factors in another order: of a few all orders, else one moved or two exchanged."""
        for path, factors in self.products(one):
            size = len(factors)
            orders = permutations(range(size)) if size <= MOST_FACTORS else exchanges(size)
            for order in orders:
                if list(order) != list(range(size)):
                    new = tuple(factors[i] for i in order)
                    said = " · ".join(self.symbol(factor) for factor in new)
                    yield Mistake(ORDER, "", f"it is {said}"), one.put(path, product(new))

    def moved(self, one: Expr) -> Iterator[Change]:
        """The first factor at the end of its product, or the last one at its beginning."""
        for path, factors in self.products(one):
            if len(factors) > 1:
                for new, i in (((factors[-1], *factors[:-1]), 0), ((*factors[1:], factors[0]), -1)):
                    where = "first" if i == 0 else "last"
                    mistake = Mistake(ORDER, self.symbol(new[i]), f"it belongs {where}")
                    yield mistake, one.put(path, product(new))

    def elementwise(self, one: Expr) -> Iterator[Change]:
        """⊙ for a product of two vectors; a vector as the diagonal of a matrix."""
        for path, factors in self.products(one):
            for i in range(len(factors) - 1):
                both = Expr("elementwise", factors[i : i + 2])
                names = f"{self.symbol(factors[i])} ⊙ {self.symbol(factors[i + 1])}"
                more = (*factors[:i], both, *factors[i + 2 :])
                yield (
                    Mistake("elementwise product is meant", "", names),
                    one.put(path, product(more)),
                )
            for i, factor in enumerate(factors) if len(factors) > 1 else ():
                new = Expr("call", (factor,), "diag")
                more = (*factors[:i], new, *factors[i + 1 :])
                said = "the factor is a matrix, with these on its diagonal"
                yield Mistake(FLAT, self.symbol(factor), said), one.put(path, product(more))

    def replaced(self, one: Expr) -> Iterator[Change]:
        """One tensor for another of its shape; a derivative for another of its dimensions."""
        scene = self.claim.scenes[0]
        shapes = {row.makes: scene.shape(row.makes) for row in self.rows}
        shapes |= {"x": scene.shape("x"), "y": scene.shape("y")}
        for path, node in one.walk():
            if node.op != "tensor" or node.data not in shapes:
                continue
            for name, shape in shapes.items():
                if name != node.data and shape == shapes[node.data]:
                    said = (
                        f"{self.names.symbol(node.data)} where {self.names.symbol(name)} is meant"
                    )
                    yield (
                        Mistake(OTHER, self.names.symbol(name), said),
                        one.put(path, Expr("tensor", (), name, self.names.symbol(name))),
                    )


def bare(mending: Mending, one: Expr) -> str:
    """The symbol of a factor without its ᵀ."""
    return mending.symbol(one.args[0] if one.op == "transpose" else one)


def between(mending: Mending, factors: tuple[Expr, ...], i: int) -> str:
    """Where in a product something is missing."""
    if i == 0:
        return f"before {mending.symbol(factors[0])}"
    if i == len(factors):
        return f"after {mending.symbol(factors[-1])}"
    return f"between {mending.symbol(factors[i - 1])} and {mending.symbol(factors[i])}"


def exchanges(size: int) -> Iterator[tuple[int, ...]]:
    """The reverse, and the orders in which one is moved or two are exchanged."""
    yield tuple(range(size - 1, -1, -1))
    for i in range(size):
        rest = [k for k in range(size) if k != i]
        yield from ((*rest[:j], i, *rest[j:]) for j in range(size))
    for i in range(size):
        for j in range(i + 1, size):
            order = list(range(size))
            order[i], order[j] = j, i
            yield tuple(order)


def diagnosed(menders: Sequence[Mending], one: Expr) -> tuple[tuple[Mistake, ...], Reading]:
    """The mistakes that make an expression wrong, and the reading in which they do.

    As few as explain it; none where it is unclear. One mistake in any reading goes before two.
    """
    for search in (simple, double):
        for mending in menders:
            try:
                found = search(mending, one)
            except Spent:
                continue
            if found:
                return found, mending.layout
    return (), menders[0].layout


def simple(mending: Mending, one: Expr) -> tuple[Mistake, ...]:
    """The one mistake that explains an expression; raises Spent."""
    claim, layout = mending.claim, mending.layout
    found = of_value(claim, one, layout)
    if found is not None and found.reason != VECTOR_LOSS:
        return (found,)
    for mistake, new in mending.all(one):
        if claim.fits(new, layout):
            return (mistake,)
    return () if found is None else (found,)


def double(mending: Mending, one: Expr) -> tuple[Mistake, ...]:
    """The two mistakes that explain an expression; raises Spent."""
    claim, layout = mending.claim, mending.layout
    for mistake, new in mending.untransposed(one):
        second = of_value(claim, new, layout)
        if second is not None:
            return (mistake, second)
    for first, new in mending.all(one):
        second = of_value(claim, new, layout)
        if second is not None and first.reason != OTHER:
            return (first, second)
    for first, new in mending.inserted(one):
        for other, last in chain(mending.removed(new), mending.terms(new), mending.moved(new)):
            if claim.fits(last, layout):
                return together(first, other)
    return ()


def together(missing: Mistake, other: Mistake) -> tuple[Mistake, ...]:
    """A factor that is missing here and too many there stands in the wrong place."""
    if other.reason in (TWICE, TOO_MANY) and other.factor == missing.factor:
        return (Mistake(ORDER, missing.factor, f"it belongs {missing.detail}"),)
    return (missing, other)


def repeated(mending: Mending, one: Expr) -> tuple[Mistake, ...]:
    """A derivative that stands twice in a product, also where its value does not show it.

    The derivative of ReLU is its own square. Two derivatives of one tensor, or by one, overlap.
    """
    for _, node in one.walk():
        seen: list[Expr] = []
        for factor in node.args if node.op == "product" else ():
            inner = factor.args[0] if factor.op == "transpose" else factor
            for other in seen:
                short = mending.overlap(inner, other)
                if short is not None:
                    both = (inner, other) if short is inner else (other, inner)
                    return (mending.superfluous(both[0], (both[1],)),)
            seen += [inner] if inner.op == "partial" else []
    return ()
