"""A place among the tokens of an answer, and the nodes that are made of what was read."""

from engine.answers.expr import Expr, Unread
from engine.answers.scan import Scanner, Token

DEEP = 40  # brackets in brackets
RELATIONS = "=<>≥≤≠"


class Cursor:
    """The tokens of a text and which of them is next, ``at``."""

    def __init__(self, scanner: Scanner) -> None:
        self.tokens = scanner.scan()
        self.text = scanner.text
        self.at = 0
        self.no_matrix: set[int] = set()  # places after a bracket where no matrix stands

    @property
    def now(self) -> Token:
        """The token to be read next."""
        return self.tokens[self.at]

    def sign(self, text: str) -> bool:
        """Whether this sign is next."""
        return self.now.kind == "sign" and self.now.value == text

    def word(self, text: str) -> bool:
        """Whether this word is next."""
        return self.now.kind == "word" and self.now.value == text

    def made(self, op: str, start: int, *args: Expr, data: object = None) -> Expr:
        """A node of what has been read from a place on."""
        end = self.tokens[self.at - 1].end
        depth = 1 + max((arg.depth for arg in args), default=0)
        if depth > DEEP:
            raise Unread(f"more than {DEEP} operations in operations", start)
        return Expr(op, args, data, self.text[start:end].strip(), depth)

    def separators(self) -> None:
        """Skip what stands between the branches of cases."""
        while (self.now.kind == "sign" and str(self.now.value) in ",;:&") or self.word("then"):
            self.at += 1

    def conditional_block(self) -> bool:
        """Whether the brace that is next holds cases: an "if" or "otherwise" before it closes."""
        depth = 0
        for token in self.tokens[self.at :]:
            if token.kind == "sign" and token.value in ("{", "}"):
                depth += 1 if token.value == "{" else -1
                if depth == 0:
                    return False
            if token.kind == "word":
                return True
        return False

    def compares(self, at: int) -> bool:
        """Whether a comparison follows before anything that ends it."""
        for token in self.tokens[at:]:
            if token.kind in {"word", "end"}:
                return False
            if token.kind == "sign" and str(token.value) in ",;:":
                return False
            if token.kind == "sign" and str(token.value) in RELATIONS:
                return True
        return False
