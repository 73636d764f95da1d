"""Text of an answer as tokens: Unicode, ASCII, and what LaTeX was turned into."""

import re
import unicodedata
from typing import NamedTuple

from engine.answers.expr import Unread
from engine.answers.names import Names, plain
from engine.program.graph import GRADIENT

MOST = 2000  # characters of an expression
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
LABEL = (
    r"(?:\^\{\[\d+\]\}|\^\{\(\d+\)\}|\^\(\d+\)|_\{\d+\}|_\{\(\d+\)\}|_\(\d+\)|_\d+|\d+"
    r"|[₀-₉]+|⁽[⁰¹²³⁴-⁹]+⁾)"
)
WORD = re.compile(rf"(?P<word>[A-Za-z]+|[^\W\d_])(?P<label>{LABEL})?")
INDICES = "ijkm"
PAIR = r"\s*([ijkm])\s*,?\s*([ijkm])?\s*"
INDEX = re.compile(rf"_\{{{PAIR}\}}|_([ijkm])([ijkm])?(?![A-Za-z])|([ᵢⱼₖₘ])([ᵢⱼₖₘ])?")
ONE = r"\s*([ijkm]|\d{1,4})\s*"
NUMBERED = re.compile(rf"_\{{{ONE}(?:,?{ONE})?\}}|_(\d)(?!\d)|([₀-₉]{{1,4}})")
ELEMENT = re.compile(r"_\{\s*(\d+)\s*,\s*(\d{1,4})\s*(?:,\s*(\d{1,4})\s*)?\}")
BOTH = re.compile(rf"_\{{\s*(\d+)\s*,?{PAIR}\}}")
BRACKET = re.compile(r"\[\s*([ijkm])\s*(?:,\s*([ijkm])\s*)?\]")
LOWERED = {"ᵢ": "i", "ⱼ": "j", "ₖ": "k", "ₘ": "m"}
TURN = re.compile(r"\^\{\s*[Ttᵀ⊤]\s*\}|\^[Tᵀ⊤]|\^t(?![A-Za-z])|ᵀ|⊤|\.m?T\b")
PLUS = re.compile(r"\^\{\s*\+\s*\}|\^\+|⁺")
POWER = re.compile(r"\^\{\s*(\d)\s*\}|(?:\^|\*\*)\s*(\d)(?!\d)|[²³]")
RAISED = {"²": 2, "³": 3}
NABLA = re.compile(r"∇\s*_?\s*(?:\{((?:[^{}]|\{[^{}]*\})*)\}|([^\s_{}ℓ]+))")
SIZED = re.compile(r"I_(?:\{[^{}]*\}|\w)")
IGNORED = re.compile(r"_\{[2F]\}|_[2F]")
BOUNDS = re.compile(
    r"(?:_\{\s*([ijkm])\s*(?:=\s*1\s*)?\}|_([ijkm])|([ᵢⱼₖₘ]))"
    r"(?:\s*\^\s*(?:\{\s*[A-Za-z]\s*\}|[A-Za-z]))?"
)
SIGNS = {
    "−": "-", "–": "-", "·": "*", "⋅": "*", "@": "*", "∗": "*", "×": "*", "∘": "⊙", "÷": "/",
    "∕": "/",
    "||": "‖", "∥": "‖", "==": "=", ">=": "≥", "<=": "≤", "!=": "≠", "∧": "and", "∨": "or",
    "⩾": "≥", "⩽": "≤",
}  # fmt: skip
PAIRS = ("||", "==", ">=", "<=", "!=")
PLAIN = "+-*/()[]{},;:=<>≥≤≠‖⊙⁄′'|&"
WORDS = {
    "if": "if", "when": "if", "for": "if", "where": "if", "else": "else", "otherwise": "else",
    "then": "then", "and": "and", "or": "or", "falls": "if", "sonst": "else",
}  # fmt: skip
CALLS = {
    "diag": "diag", "exp": "exp", "log": "log", "ln": "log", "sum": "total", "mean": "mean",
    "norm": "norm", "sqrt": "sqrt", "abs": "abs", "sign": "sign", "max": "max", "min": "min",
}  # fmt: skip


class Token(NamedTuple):
    """One token: what kind of thing, what it means, and where it stands in the text."""

    kind: str
    value: object
    start: int
    end: int


class Scanner:
    """Cuts a text into tokens, the longest known name first."""

    def __init__(self, text: str, names: Names) -> None:
        if len(text) > MOST:
            raise Unread(f"{len(text):,} characters are more than {MOST:,}", MOST)
        self.text = unicodedata.normalize("NFC", text)
        self.names = names
        self.at = 0
        self.tokens: list[Token] = []

    def scan(self) -> list[Token]:
        """All tokens, and an end."""
        while self.at < len(self.text):
            if self.text[self.at].isspace():
                self.at += 1
            else:
                self.one()
        self.add("end", None, 0)
        return self.tokens

    def add(self, kind: str, value: object, length: int) -> None:
        """Keep a token of so many characters."""
        self.tokens.append(Token(kind, value, self.at, self.at + length))
        self.at += length

    def one(self) -> None:
        """The next token; raises Unread where there is none."""
        for kind, pattern in (("turn", TURN), ("plus", PLUS), ("power", POWER)):
            found = pattern.match(self.text, self.at)
            if found is not None:
                power = found.group(1) or found.group(2) or "" if kind == "power" else ""
                value = int(power) if power else RAISED.get(found.group())
                self.add(kind, value, len(found.group()))
                return
        char = self.text[self.at]
        if char in "_ᵢⱼₖₘ₀₁₂₃₄₅₆₇₈₉":
            self.index()
        elif char in "𝟙𝟏":
            self.add("call", "truth", 1)
        elif char.isdecimal():
            found = NUMBER.match(self.text, self.at)
            assert found is not None
            self.add("number", float(found.group()), len(found.group()))
        elif char in "∂δ":
            self.delta()
        elif char == "∇":
            self.nabla()
        elif char in "Σ∑":
            self.sum(1)
        elif self.text[self.at : self.at + 2] in PAIRS:
            self.sign(2)
        elif char in SIGNS or char in PLAIN:
            self.sign(1)
        elif not self.exact():
            self.word()

    def sign(self, length: int) -> None:
        """An operator or a bracket."""
        text = self.text[self.at : self.at + length]
        self.add("sign", SIGNS.get(text, text), length)

    def index(self) -> None:
        """Indices of an element, _i or ᵢⱼ; a norm's _2 says nothing."""
        ignored = IGNORED.match(self.text, self.at)
        if ignored is not None and self.after("‖"):
            self.at += len(ignored.group())
            return
        found = INDEX.match(self.text, self.at) or NUMBERED.match(self.text, self.at)
        if found is None:
            raise Unread("a subscript that is no index", self.at)
        parts = [one for one in found.groups() if one]
        indices = tuple(LOWERED.get(one) or unicodedata.normalize("NFKC", one) for one in parts)
        self.add("index", indices, len(found.group()))

    def after(self, sign: str) -> bool:
        """Whether the last token is this sign."""
        return bool(self.tokens) and self.tokens[-1].value == sign

    def delta(self) -> None:
        """∂, or δ written for it; δᵢⱼ is 1 where i = j."""
        found = INDEX.match(self.text, self.at + 1)
        parts = [one for one in found.groups() if one] if found is not None else []
        if found is not None and len(parts) == 2:
            indices = tuple(LOWERED.get(one, one) for one in parts)
            self.add("kronecker", indices, 1 + len(found.group()))
        else:
            self.add("partial", None, 1)

    def nabla(self) -> None:
        """∇ of a tensor, the gradient of the loss in the shape of that."""
        found = NABLA.match(self.text, self.at)
        name = None
        if found is not None:
            name = self.names.tensors.get(plain(found.group(1) or found.group(2)))
        if found is None or name is None:
            raise Unread("expects a tensor after ∇, as ∇_{W1}", self.at)
        self.add("nabla", name, len(found.group()))

    def sum(self, length: int) -> None:
        """Σᵢ, \\sum_{i=1}^{K}: the index that it runs over."""
        found = BOUNDS.match(self.text, self.at + length)
        name = next((one for one in found.groups() if one), None) if found is not None else None
        more = 0 if found is None else len(found.group())
        self.add("sum", LOWERED.get(name or "", name), length + more)

    def exact(self) -> bool:
        """A name of the program as it is written there, the longest first."""
        for length in range(min(self.names.longest, len(self.text) - self.at), 1, -1):
            word = self.text[self.at : self.at + length]
            if word in self.names.tensors and not self.goes_on(self.at + length):
                self.add("tensor", self.names.tensors[word], length)
                self.brackets()
                return True
        return False

    def goes_on(self, place: int) -> bool:
        """Whether a word goes on at a place, so that it does not end there."""
        rest = self.text[place : place + 1]
        return rest.isascii() and (rest.isalnum())

    def brackets(self) -> None:
        """The indices [i, j] of a tensor; or that its gradient is meant."""
        if self.text.startswith(GRADIENT, self.at):
            self.add("gradient", None, len(GRADIENT))
        found = BRACKET.match(self.text, self.at)
        if found is not None:
            indices = tuple(one for one in found.groups() if one)
            self.add("index", indices, len(found.group()))

    def word(self) -> None:
        """A word: a tensor with its label, a function, a size, an index; else Unread."""
        found = WORD.match(self.text, self.at)
        if found is None:
            raise Unread(f"cannot read {self.text[self.at]!r}", self.at)
        letters = found.group("word")
        if self.labelled(letters):
            return
        for length in range(len(letters), 0, -1):
            cut = self.at + length
            ends = [*self.ends(found), cut] if length == len(letters) else [cut]
            if any(self.known(self.text[self.at : end]) for end in ends):
                return
        before = re.search(r"[A-Za-z]*\Z", self.text[: self.at])
        start = self.at if before is None else before.start()
        raise Unread(f"does not know {self.text[start : found.end('word')]!r}", start)

    def ends(self, found: re.Match[str]) -> list[int]:
        """Where a word with its label may end: z₂₁ is also the first element of z₂."""
        label = found.group("label") or ""
        lowered = label[:1] in "₀₁₂₃₄₅₆₇₈₉"
        return [found.end() - cut for cut in range(len(label) if lowered else 1)]

    def labelled(self, letters: str) -> bool:
        """A tensor whose number and index stand in one subscript: z_{1,i}, z_{1,2}."""
        place = self.at + len(letters)
        found = BOTH.match(self.text, place)
        if found is None and plain(letters) not in self.names.tensors:
            found = ELEMENT.match(self.text, place)
        name = (
            self.names.tensors.get(plain(letters) + found.group(1)) if found is not None else None
        )
        if found is None or name is None:
            return False
        self.add("tensor", name, len(letters))
        indices = tuple(one for one in found.groups()[1:] if one)
        self.add("index", indices, len(found.group()))
        return True

    def known(self, word: str) -> bool:
        """Keep a word that means something."""
        length = len(word)
        bare = plain(word)
        if bare in self.names.tensors:
            self.add("tensor", self.names.tensors[bare], length)
            self.brackets()
        elif bare[:1] == "d" and bare[1:] in self.names.tensors and self.derives():
            self.add("partial", None, 1)
        elif bare[:1] == "d" and bare[1:] in self.names.tensors:
            # dW1 alone, as code calls the gradient of the loss
            self.add("nabla", self.names.tensors[bare[1:]], length)
        elif word.lower() in WORDS:
            self.add("word", WORDS[word.lower()], length)
        elif word in self.names.functions:
            self.add("call", self.names.functions[word], length)
        elif word.lower() in CALLS:
            self.add("call", CALLS[word.lower()], length)
        elif word in self.names.letters:
            self.add("size", word, length)
        elif word in ("I", "𝐈"):
            sized = SIZED.match(self.text, self.at)
            self.add("eye", None, length if sized is None else len(sized.group()))
        elif word == "d" and self.derives():
            self.add("partial", None, 1)
        elif word in ("Sum", "sum"):
            self.sum(length)
        elif word in INDICES:
            self.add("letter", word, length)
        else:
            return False
        return True

    def derives(self) -> bool:
        """Whether a d stands for ∂: before a fraction of two of them."""
        rest = self.text[self.at :]
        before = [token.value for token in self.tokens[-2:]]
        if before[-1:] in (["/"], ["⁄"]) or before == ["⁄", "{"]:
            return True
        return re.match(r"d[^\s/*]*\s*\}?\s*[/⁄]\s*\{?\s*d", rest) is not None
