"""The grammar of answers: tokens become a tree, or Unread says where they make no sense.

From loose to tight: cases, sum, elementwise product, product of matrices (also by standing side by
side), quotient, sign, what stands above. ``W2ᵀ δ ⊙ s`` is ``(W2ᵀ δ) ⊙ s``.
"""

from collections.abc import Callable
from dataclasses import replace

from engine.answers.cursor import DEEP, RELATIONS, Cursor
from engine.answers.expr import Expr, Unread
from engine.answers.matrix import matrix
from engine.answers.names import Names
from engine.answers.scan import Scanner, Token

CLOSING = {"(": ")", "[": "]", "{": "}"}
BEGINS = {
    "number", "tensor", "size", "call", "eye", "partial", "sum", "letter", "kronecker", "nabla",
}  # fmt: skip


class Parser(Cursor):
    """Reads one expression by recursive descent."""

    def __init__(self, text: str, names: Names) -> None:
        super().__init__(Scanner(text, names))
        self.names = names
        self.depth = 0
        self.notes: list[str] = []

    def whole(self) -> Expr:
        """The whole text as one expression."""
        found = self.cases()
        while self.sign(";") or self.sign(",") or self.sign("."):
            self.at += 1
        if self.now.kind != "end":
            raise Unread("does not understand what follows here", self.now.start)
        return found

    # Cases: "1 if C, else 0", "if C then 1 else 0", "1 if C; 0 otherwise".

    def cases(self) -> Expr:
        """An expression, or several with conditions."""
        start = self.now.start
        if self.sign("{") and self.conditional_block():
            self.at += 1
            found = self.cases()
            self.separators()
            if self.sign("}"):
                self.at += 1
            return found
        parts: list[Expr] = []
        if self.word("if"):
            self.at += 1
            condition = self.condition()
            self.separators()
            parts += [self.sum(), condition]
        else:
            value = self.sum()
            save = self.at
            self.separators()
            if not self.word("if"):
                self.at = save
                return value
            self.at += 1
            parts += [value, self.condition()]
        self.rest(parts)
        return self.made("cases", start, *parts)

    def rest(self, parts: list[Expr]) -> None:
        """The branches after the first: more conditions, and what is so otherwise."""
        while True:
            self.separators()
            if self.word("else"):
                self.at += 1
                self.separators()
                if self.word("if"):
                    self.at += 1
                parts.append(self.sum())
                return
            if self.now.kind not in BEGINS and not self.sign("-") and not self.sign("("):
                return
            value = self.sum()
            self.separators()
            if self.word("else"):
                self.at += 1
                parts.append(value)
                return
            if not self.word("if"):
                raise Unread("a case without a condition", self.now.start)
            self.at += 1
            parts += [value, self.condition()]

    def condition(self, first: Expr | None = None) -> Expr:
        """Comparisons, with "and" or a comma between them, or "or"; ``first`` has been read."""
        start = self.now.start
        parts, joint = [self.relation(first)], "and"
        while True:
            save = self.at
            if self.word("and") or self.word("or"):
                joint = str(self.now.value)
                self.at += 1
            elif self.sign(",") and self.compares(self.at + 1):
                self.at += 1
            else:
                self.at = save
                break
            parts.append(self.relation())
        return parts[0] if len(parts) == 1 else self.made("logic", start, *parts, data=joint)

    def relation(self, first: Expr | None = None) -> Expr:
        """A comparison, or several in a chain: 0 < z ≤ 1."""
        start = self.now.start
        signs: list[str] = []
        parts = [self.sum() if first is None else first]
        while self.now.kind == "sign" and str(self.now.value) in RELATIONS:
            signs.append(str(self.now.value))
            self.at += 1
            parts.append(self.sum())
        if not signs:
            raise Unread("expects a comparison, as z > 0", self.now.start)
        return self.made("compare", start, *parts, data=tuple(signs))

    # Arithmetic.

    def sum(self) -> Expr:
        """Terms with + and − between them."""
        self.depth += 1
        if self.depth > 2 * DEEP:
            raise Unread(f"more than {DEEP} brackets in brackets", self.now.start)
        start = self.now.start
        if self.sign("+"):
            self.at += 1
        parts = [self.elementwise()]
        while self.sign("+") or self.sign("-"):
            minus, place = self.sign("-"), self.now.start
            self.at += 1
            term = self.elementwise()
            parts.append(self.made("negative", place, term) if minus else term)
        self.depth -= 1
        return parts[0] if len(parts) == 1 else self.made("sum", start, *parts)

    def elementwise(self) -> Expr:
        """Products with ⊙ between them."""
        start = self.now.start
        found = self.product()
        while self.sign("⊙"):
            self.at += 1
            found = self.made("elementwise", start, found, self.product())
        return found

    def product(self) -> Expr:
        """Factors with · between them, or side by side; quotients from the left."""
        start = self.now.start
        minus = 0
        while self.sign("-"):
            self.at += 1
            minus += 1
        found = self.factors(start)
        return self.made("negative", start, found) if minus % 2 else found

    def factors(self, start: int) -> Expr:
        """The factors of a product after its sign."""
        factors = [self.factor()]
        while True:
            if self.sign("*"):
                self.at += 1
                factors.append(self.signed())
            elif self.sign("/") or self.sign("⁄"):
                self.at += 1
                below = self.signed()
                above = self.joined(start, factors)
                factors = [self.made("quotient", start, above, below)]
            elif self.begins():
                factors.append(self.factor())
            else:
                return self.joined(start, factors)

    def joined(self, start: int, factors: list[Expr]) -> Expr:
        """Factors as a product; one is itself."""
        return factors[0] if len(factors) == 1 else self.made("product", start, *factors)

    def signed(self) -> Expr:
        """A factor that may have a sign."""
        start = self.now.start
        if self.sign("-"):
            self.at += 1
            return self.made("negative", start, self.factor())
        return self.factor()

    def begins(self) -> bool:
        """Whether a factor begins here."""
        if self.now.kind == "sign" and self.now.value == "‖":
            return not self.inside_norm
        return self.now.kind in BEGINS or (
            self.now.kind == "sign" and str(self.now.value) in CLOSING
        )

    inside_norm = False

    def factor(self) -> Expr:
        """Something with what stands above and below it: powers, ᵀ, ⁺, indices."""
        start = self.now.start
        found = self.primary()
        made: dict[str, Callable[[object], Expr]] = {
            "turn": lambda _: self.made("transpose", start, found),
            "plus": lambda _: self.made("call", start, found, data=self.names.functions["relu"]),
            "power": lambda n: self.made("power", start, found, data=n),
            "index": lambda at: self.made("element", start, found, data=at),
        }
        while self.now.kind in made:
            token = self.now
            self.at += 1
            found = made[token.kind](token.value)
        return found

    def primary(self) -> Expr:
        """A number, a name, a derivative, a function of something, or brackets."""
        self.depth += 1
        if self.depth > 2 * DEEP:
            raise Unread(f"more than {DEEP} brackets in brackets", self.now.start)
        found = self.single()
        self.depth -= 1
        return found

    def single(self) -> Expr:
        """As :meth:`primary`, which looks after the depth."""
        token = self.now
        if token.kind == "end":
            raise Unread("ends where something is missing", token.start)
        self.at += 1
        match token.kind:
            case "number" | "size" | "letter" | "kronecker" | "eye":
                return self.made(token.kind, token.start, data=token.value)
            case "tensor" if self.now.kind == "gradient":
                self.at += 1
                data = (self.names.program.loss, token.value, True)
                return self.made("partial", token.start, data=data)
            case "tensor":
                return self.made("tensor", token.start, data=token.value)
            case "nabla":
                loss = self.names.program.loss
                self.at += self.now.kind == "tensor" and self.now.value == loss
                return self.made("partial", token.start, data=(loss, token.value, True))
            case "partial":
                self.at -= 1
                return self.derivative()
            case "call":
                return self.call(token)
            case "sum":
                inner = self.product()
                return self.made("over", token.start, inner, data=token.value)
            case "sign" if token.value in CLOSING:
                self.at -= 1
                return self.brackets()
            case "sign" if token.value == "‖":
                return self.norm(token.start)
        raise Unread(f"cannot read {self.text[token.start : token.end]!r} here", token.start)

    def brackets(self) -> Expr:
        """What stands in brackets; or a fraction whose parts are in braces."""
        opening = self.now
        if self.fraction():
            return self.derivative()
        self.at += 1
        inside, self.inside_norm = self.inside_norm, False
        depth = self.depth
        found = matrix(self, self.sum) if opening.value == "[" else None
        if found is None:
            self.depth = depth
            found = self.cases()
        if self.now.kind == "sign" and str(self.now.value) in RELATIONS:
            found = self.condition(found)  # [z > 0] is 1 where it holds
        self.inside_norm = inside
        if not self.sign(CLOSING[str(opening.value)]):
            raise Unread(f"{opening.value} is never closed", opening.start)
        self.at += 1
        text = self.text[opening.start : self.now.start]
        return replace(found, text=text)

    def norm(self, start: int) -> Expr:
        """‖…‖."""
        outer, self.inside_norm = self.inside_norm, True
        inner = self.sum()
        self.inside_norm = outer
        if not self.sign("‖"):
            raise Unread("‖ is never closed", start)
        self.at += 1
        return self.made("norm", start, inner)

    def call(self, token: Token) -> Expr:
        """A function of what is in brackets, or of the one thing after it; f′ is its slope."""
        slope = self.sign("′") or self.sign("'")
        if slope:
            self.at += 1
        if self.now.kind == "power":
            raise Unread("a power of a function: write (f(z))²", self.now.start)
        if token.value in ("max", "min") and self.sign("("):
            return self.between(token)
        if token.value == "truth":
            inner = self.indicator()
        else:
            inner = self.brackets() if self.opens() else self.factor()
        return self.made("slope" if slope else "call", token.start, inner, data=token.value)

    def between(self, token: Token) -> Expr:
        """max(0, z), of each element; with one argument the largest of all."""
        opening = self.now.start
        self.at += 1
        args = [self.sum()]
        if self.sign(","):
            self.at += 1
            args.append(self.sum())
        if not self.sign(")"):
            raise Unread("( is never closed", opening)
        self.at += 1
        op = "call" if len(args) == 1 else "between"
        return self.made(op, token.start, *args, data=token.value)

    def opens(self) -> bool:
        """Whether a bracket is next."""
        return self.now.kind == "sign" and str(self.now.value) in CLOSING

    def indicator(self) -> Expr:
        """The condition in 𝟙[z > 0]."""
        if not self.opens():
            raise Unread("expects a condition in brackets, as 𝟙[z > 0]", self.now.start)
        closing = CLOSING[str(self.now.value)]
        self.at += 1
        inner = self.condition()
        if not self.sign(closing):
            raise Unread("the brackets of 𝟙 are never closed", self.now.start)
        self.at += 1
        return inner

    # Derivatives: ∂A/∂B, and in braces, where the ∂ below may be missing.

    def fraction(self) -> bool:
        """Whether {∂A}⁄{…} is next, as LaTeX's \\frac is written."""
        tokens = self.tokens[self.at : self.at + 2]
        return self.sign("{") and tokens[1].kind == "partial"

    def derivative(self) -> Expr:
        """∂A/∂B; where the second ∂ is missing, a note is kept."""
        start = self.now.start
        of, first = self.part()
        if not (self.sign("/") or self.sign("⁄")):
            raise Unread("a derivative has the form ∂A/∂B", self.now.start)
        self.at += 1
        wrt, second = self.part()
        indices = (*first[1], *second[1])
        found = self.made("partial", start, data=(of, wrt, False))
        if not (first[0] and second[0]):
            above, below = self.names.symbol(of), self.names.symbol(wrt)
            self.notes.append(f"a ∂ is missing: read as ∂{above}/∂{below}")
        return Expr("element", (found,), indices, found.text) if indices else found

    def part(self) -> tuple[str, tuple[bool, tuple[str, ...]]]:
        """∂A: the tensor, whether the ∂ is there, and its indices."""
        braces = self.sign("{")
        self.at += braces
        has = self.now.kind == "partial"
        self.at += has
        # In braces, as from LaTeX, ∂{A} may have braces of its own.
        inner = self.sign("{") or self.sign("(")
        self.at += inner
        if self.now.kind != "tensor":
            raise Unread("expects the name of a tensor", self.now.start)
        name = str(self.now.value)
        self.at += 1
        indices: tuple[str, ...] = ()
        if self.now.kind == "index":
            indices = tuple(self.now.value)  # type: ignore[arg-type]
            self.at += 1
        for opened in (inner, braces):
            if opened:
                if not (self.sign("}") or self.sign(")")):
                    raise Unread("a bracket is never closed", self.now.start)
                self.at += 1
        return name, (has, indices)


def parsed(text: str, names: Names) -> Expr:
    """An answer as a tree; raises Unread with the place."""
    return Parser(text, names).whole()


def annotated(text: str, names: Names) -> tuple[Expr, list[str]]:
    """An answer as a tree, and notes on what was read with good will; raises Unread."""
    parser = Parser(text, names)
    return parser.whole(), parser.notes
