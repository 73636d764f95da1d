"""An equation with indices, ∂ℓ/∂W2[k,j] = Σₙ ∂ℓ/∂z3[n,k] z2[n,j], and the product that it makes."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.explain.index_moves import picked, reshaped_place, windows
from engine.explain.known import Slope, definition
from engine.explain.writing import (
    Scene,
    Written,
    by_elements,
    constant_text,
    number_text,
    slope_text,
    symbol_of,
)
from engine.formulas.tree import ATOM, POSTFIX, PRODUCT, SUM, text_at
from engine.lines import algebra, products, spatial, structure
from engine.lines.elementwise import ABSOLUTE, Comparison
from engine.lines.node import Call, Constant, Node, Tensor, formula
from engine.lines.reductions import MEAN, TOTAL, axes_of
from engine.lines.softmaxes import LOG_SOFTMAX_OF, SOFTMAX_OF
from engine.run.op import TensorInfo

SAMPLE = "n"
LETTERS = "kjilmpqrstuv"
SMALL = dict(zip("nkjilmpqrstuv", "ₙₖⱼᵢₗₘₚqᵣₛₜᵤᵥ", strict=True))
Place = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Indexing:
    """Writes trees with letters for indices; ``tensors`` say which have a row for each sample."""

    tensors: Mapping[str, TensorInfo]
    scene: Scene

    @property
    def letters(self) -> str:
        """The letters that no tensor is called."""
        return "".join(letter for letter in LETTERS if letter not in self.tensors)

    def sampled(self, name: str) -> bool:
        """Whether the first axis of a tensor is that of the samples."""
        info = self.tensors.get(name)
        if info is not None and info.gradient_of is not None:
            info = self.tensors.get(info.gradient_of)
        return info is not None and info.per_sample

    def place(self, name: str, node: Node) -> Place:
        """The letters of a tensor: n for the samples, 0 for an axis of one."""
        letters = iter(self.letters)
        lead = self.sampled(name)
        return tuple(
            SAMPLE if k == 0 and lead else "0" if size == 1 else next(letters)
            for k, size in enumerate(node.shape)
        )

    def of_samples(self, node: Node, axis: int) -> bool:
        """Whether an axis of a node is that of the samples of a tensor below it."""
        while isinstance(node, Call):
            below = self.below(node, axis)
            if below is None:
                return False
            node, axis = below
        return isinstance(node, Tensor) and axis == 0 and self.sampled(node.name)

    def below(self, node: Call, axis: int) -> tuple[Node, int] | None:
        """The operand that an axis comes from, and which it is there; None where it is unknown."""
        first = node.operands[0] if node.operands else node
        if node.function is algebra.PERMUTE:
            return first, node.option("axes")[axis]
        if node.function is products.MATMUL and axis == node.rank - 2:
            return first, first.rank - 2
        if node.function in (TOTAL, MEAN):
            folded = axes_of(first.shape, dict(node.options))
            left = [k for k in range(first.rank) if k not in folded or node.option("keepdims")]
            return first, left[axis]
        if node.function is structure.ONE_HOT and axis < first.rank:
            return first, axis
        if node.function is structure.INDEX and len(node.operands) > 1:
            index = node.operands[-1]
            return (index, axis) if axis < index.rank else None
        if (better := self.scene.factors(node)) is not None:
            return better, axis
        like = [one for one in node.operands if one.shape == node.shape]
        return (like[0], axis) if by_elements(node) and like else None

    def fresh(self, used: Place, node: Node, axis: int) -> str:
        """A letter to sum over an axis of a node; 0 for an axis of one."""
        if self.of_samples(node, axis) and SAMPLE not in used:
            return SAMPLE
        if node.shape[axis] == 1:
            return "0"
        return next(letter for letter in self.letters if letter not in used)

    def at(self, node: Node, place: Place, used: Place, level: int) -> str:
        """An element in parentheses where its text holds together less than ``level``."""
        text, own = self.written(node, place, used)
        return f"({text})" if own < level else text

    def written(self, node: Node, place: Place, used: Place) -> Written:
        """An element of a node; ``used`` are the letters that already mean something."""
        if node in self.scene.labels:
            return indexed(self.scene.labels[node], place), ATOM
        if isinstance(node, Constant):
            return constant_text(node)
        if isinstance(node, Tensor):
            return indexed(symbol_of(node), place), ATOM
        assert isinstance(node, Call)
        if node.function is algebra.PERMUTE:
            back = dict(zip(node.option("axes"), place, strict=True))
            inner = tuple(back[k] for k in range(node.rank))
            return self.written(node.operands[0], inner, used)
        if node.function is algebra.FILL:
            return self.written(node.operands[0], fitted(place, node.operands[0], node), used)
        if node.function in (products.MATMUL, products.SUMMED_PRODUCT):
            return self.product(node, place, used)
        if node.function in (TOTAL, MEAN, algebra.SUM_TO):
            return self.folded(node, place, used)
        if (better := self.scene.factors(node)) is not None:
            return self.written(better, place, used)
        if by_elements(node):
            return self.applied(node, place, used)
        if node.function in (SOFTMAX_OF, LOG_SOFTMAX_OF):
            return self.softmax(node, place, used)
        if (better := definition(node)) is not None:
            return self.written(better, place, used)
        return self.moved(node, place, used) or whole(node, place)

    def moved(self, node: Call, place: Place, used: Place) -> Written | None:
        """An element that comes from elsewhere; None where its letters are lost."""

        def by(k: int, letters: Place) -> str:
            index = node.operands[k + 1]
            at = letters[len(letters) - index.rank :]
            return self.written(index, fitted(at, index, index), used)[0]

        inner: Place | None = None
        match node.function:
            case structure.INDEX:
                inner = picked(node.option("entries"), place, node.operands[0].rank, by)
            case algebra.RESHAPE:
                inner = reshaped_place(place, node.operands[0].shape, node.shape)
            case structure.REAL:
                inner = place
            case structure.RANGE:
                return place[0], ATOM
            case structure.Filled():
                return number_text(node.function.number), ATOM
            case structure.ONE_HOT:
                y = node.operands[0]
                return f"[{place[-1]} = {self.written(y, place[:-1], used)[0]}]", ATOM
            case structure.SCATTER if node.option("entries") == (("by", 0),):
                return self.gathered(node, place, used)
            case spatial.Spatial() | spatial.SpatialPull():
                return self.convolved(node, place, used)
        return None if inner is None else self.written(node.operands[0], inner, used)

    def gathered(self, node: Call, place: Place, used: Place) -> Written:
        """Σₙ [x[n] = k] g[n,j], what is added up where an index names a row."""
        grad, index = node.operands
        letters: Place = ()
        for axis in range(index.rank):
            letters = (*letters, self.fresh((*used, *letters), index, axis))
        used = (*used, *letters)
        chosen = f"[{self.written(index, letters, used)[0]} = {place[0]}]"
        said = self.at(grad, (*letters, *place[1:]), used, PRODUCT)
        return f"{''.join(map(sigma, letters))}{chosen} {said}", PRODUCT

    def convolved(self, node: Call, place: Place, used: Place) -> Written | None:
        """Σ x[n,c,i+u,j+v] K[k,c,u,v], and what flows back to the filters."""
        function, (a, b) = node.function, node.operands
        to_filters = isinstance(function, spatial.SpatialPull) and function.of == 1
        forward = isinstance(function, spatial.Spatial)
        if node.option("groups") != 1 or function.transposed or not (forward or to_filters):  # type: ignore[attr-defined]
            return None
        letters: Place = ()
        other = b if forward else a  # the filters, or the gradient of what they made
        axes = range(1, other.rank) if forward else (0, *range(2, other.rank))
        for axis in axes:
            letters = (*letters, self.fresh((*used, *letters), other, axis))
        used = (*used, *letters)
        if forward:
            image: Place = (place[0], letters[0], *windows(node, place[2:], letters[1:]))
            second: Place = (place[1], *letters)
            said = f"{self.at(a, image, used, PRODUCT)} {self.at(b, second, used, PRODUCT)}"
        else:
            image = (letters[0], place[1], *windows(node, letters[1:], place[2:]))
            first = (letters[0], place[0], *letters[1:])
            said = f"{self.at(a, first, used, PRODUCT)} {self.at(b, image, used, PRODUCT)}"
        return f"{''.join(map(sigma, letters))}{said}", PRODUCT

    def product(self, node: Call, place: Place, used: Place) -> Written:
        """Σⱼ a[i,j] b[j,k]."""
        a, b = node.operands
        if node.function is products.SUMMED_PRODUCT or min(a.rank, b.rank) < 2:
            return self.other_product(node, place, used)
        letter = self.fresh(used, a, a.rank - 1)
        used = (*used, letter)
        left = (*fitted(place[:-2], a, node, 2), place[-2], letter)
        right = (*fitted(place[:-2], b, node, 2), letter, place[-1])
        said = f"{self.at(a, left, used, PRODUCT)} {self.at(b, right, used, PRODUCT)}"
        return f"{sigma(letter)}{said}", PRODUCT

    def other_product(self, node: Call, place: Place, used: Place) -> Written:
        """A product with a vector, or one that is summed over the samples too."""
        a, b = node.operands
        if node.function is products.SUMMED_PRODUCT:
            lead: Place = ()
            for axis in range(a.rank - 2):
                lead = (*lead, self.fresh((*used, *lead), b, axis))
            left, right = (*lead, place[0]), lead
            tail: Place = (place[1],)
        else:
            lead, tail = (), place[-1:] if b.rank > 1 else ()
            left = place[: a.rank - 1]
            right = ()
        letter = self.fresh((*used, *lead), a, a.rank - 1)
        used = (*used, *lead, letter)
        first = self.at(a, (*left, letter), used, PRODUCT)
        second = self.at(b, (*right, letter, *tail), used, PRODUCT)
        sums = "".join(sigma(one) for one in (*lead, letter))
        return f"{sums}{first} {second}", PRODUCT

    def folded(self, node: Call, place: Place, used: Place) -> Written:
        """A sum or a mean over axes."""
        (a,) = node.operands
        rest = iter(place)
        if node.function is algebra.SUM_TO:
            axes = algebra.summed_axes(a.shape, node.shape)
            kept = len(node.shape) == a.rank
        else:
            axes = axes_of(a.shape, dict(node.options))
            kept = bool(node.option("keepdims"))
        letters: Place = ()
        inner: list[str] = []
        for axis, size in enumerate(a.shape):
            if axis not in axes:
                inner.append(next(rest))
                continue
            if kept:
                next(rest)
            letter = self.fresh((*used, *letters), a, axis)
            letters = (*letters, letter) if size > 1 else letters
            inner.append(letter)
        used = (*used, *letters)
        level = PRODUCT if letters else SUM
        said = self.at(a, tuple(inner), used, level)
        share = ""
        if node.function is MEAN:
            count = 1
            for axis in axes:
                count *= a.shape[axis]
            share = f"1/{count} "
        return f"{share}{''.join(map(sigma, letters))}{said}", PRODUCT

    def softmax(self, node: Call, place: Place, used: Place) -> Written:
        """exp z[n,k] / Σⱼ exp z[n,j], or its logarithm."""
        (a,), axis = node.operands, node.option("axis", -1) % node.rank
        letter = self.fresh(used, a, axis)
        along = (*place[:axis], letter, *place[axis + 1 :])
        mine = self.at(a, place, used, SUM)
        total = f"{sigma(letter)}exp({self.at(a, along, (*used, letter), SUM)})"
        if node.function is SOFTMAX_OF:
            return f"exp({mine}) / {total}", PRODUCT
        return f"{mine} − log({total})", SUM

    def applied(self, node: Call, place: Place, used: Place) -> Written:
        """A function of each element with its operands."""

        def part(k: int, level: int) -> str:
            one = node.operands[k]
            return self.at(one, fitted(place, one, node), used, level)

        match node.function:
            case algebra.SUM:
                return f"{part(0, SUM)} + {part(1, PRODUCT)}", SUM
            case algebra.DIFFERENCE:
                return f"{part(0, SUM)} − {part(1, PRODUCT)}", SUM
            case algebra.NEGATIVE:
                return f"−{part(0, PRODUCT)}", SUM
            case algebra.PRODUCT:
                return f"{part(0, PRODUCT)} {part(1, PRODUCT)}", PRODUCT
            case algebra.RATIO:
                return f"{part(0, PRODUCT)} / {part(1, POSTFIX)}", PRODUCT
            case algebra.POWER:
                exponent = node.operands[1]
                if isinstance(exponent, Constant) and exponent.value == 2:
                    return f"{part(0, ATOM)}²", POSTFIX
                if isinstance(exponent, Constant) and exponent.value == 0.5:
                    return f"√{part(0, ATOM)}", POSTFIX
                return f"{part(0, ATOM)}^{part(1, ATOM)}", POSTFIX
        if isinstance(node.function, Comparison):
            return f"[{part(0, SUM)} {node.function.written} {part(1, SUM)}]", ATOM
        if isinstance(node.function, Slope):
            return slope_text(node.function, part(0, ATOM))
        if node.function is ABSOLUTE:
            return f"|{part(0, SUM)}|", ATOM
        inside = ", ".join(part(k, SUM) for k in range(len(node.operands)))
        return f"{node.function.name}({inside})", ATOM


def whole(node: Node, place: Place) -> Written:
    """A node as a whole formula, with the letters of its element."""
    return indexed(text_at(formula(node), ATOM), place), ATOM


def fitted(place: Place, node: Node, of: Node, without: int = 0) -> Place:
    """The letters of an operand that was broadcast to ``of``, but for its last axes ``without``."""
    shape, whole = node.shape[: node.rank - without], of.shape[: of.rank - without]
    pairs = zip(reversed(place), reversed(shape), reversed(whole), strict=False)
    return tuple("0" if size == 1 != full else one for one, size, full in pairs)[::-1]


def indexed(symbol: str, place: Place) -> str:
    """``z1[n,k]``; a single number by its symbol."""
    return f"{symbol}[{','.join(place)}]" if place else symbol


def sigma(letter: str) -> str:
    """Σ with the letter that it runs over, and a blank; nothing where there is one alone."""
    if letter == "0":
        return ""
    return f"Σ{SMALL[letter]} " if SMALL[letter] != letter else f"Σ_{letter} "


def index_form(
    symbol: str, name: str, root: Node, scene: Scene, tensors: Mapping[str, TensorInfo]
) -> str:
    """The equation of a tensor, one element for all."""
    writer = Indexing(tensors, scene)
    place = writer.place(name, root)
    return f"{indexed(symbol, place)} = {writer.written(root, place, place)[0]}"


def why_product(name: str, root: Node, scene: Scene, tensors: Mapping[str, TensorInfo]) -> str:
    """How the matrix product follows from the indices; empty where there is none."""
    node = main_product(root)
    if node is None:
        return ""
    writer = Indexing(tensors, scene)
    a, b = node.operands
    letter = writer.fresh(writer.place(name, root), a, a.rank - 1)
    left, right = standing(a, "last", "first"), standing(b, "first", "last")
    return (
        "A matrix product sums over the last index of its left factor and the first index of its "
        f"right one. {letter} is the {left}, and the {right}: {formula(node).text()}."
    )


def standing(node: Node, straight: str, other: str) -> str:
    """Which index of a factor is summed over, and what follows for how it stands."""
    if turned(node):
        assert isinstance(node, Call)
        inner = formula(node.operands[0]).text()
        return f"{other} index of {inner}, which therefore stands transposed"
    return f"{straight} index of {formula(node).text()}, which stands as it is"


def turned(node: Node) -> bool:
    """Whether a node is a transposed one."""
    return isinstance(node, Call) and node.function is algebra.PERMUTE


def main_product(root: Node) -> Call | None:
    """The matrix product that a formula is, but for what is added to it or multiplied with it."""
    node = root
    while isinstance(node, Call):
        if node.function is products.MATMUL and min(one.rank for one in node.operands) > 1:
            return node
        if node.function in (algebra.SUM, algebra.DIFFERENCE, algebra.NEGATIVE, algebra.SUM_TO):
            node = node.operands[0]
        elif node.function is algebra.PRODUCT and isinstance(node.operands[0], Constant):
            node = node.operands[1]
        else:
            return None
    return None
