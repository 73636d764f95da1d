"""On which line of a TOML text a field stands: the parser itself keeps no places."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from engine.errors import Problem
from engine.wording import join

MAX_CHARACTERS = 2**24  # of a text that is searched: a longer one has its lines from no editor
TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'  # texts of several lines
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[\]{},=.\n]"
    r"""|[^\s\[\]{},=.\#"']+""",
    re.DOTALL,
)
ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[btnfr"\\])')
ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
AT = re.compile(r"\(?at line (\d+)")
TWICE = re.compile(r"\('(\w+)',\) twice")
PAIR = re.compile(r"\s*([\w.-]{1,60})\s*=\s*([^#]{1,60}?)\s*(?:#.*)?$")
BARE = re.compile(r"[A-Za-z_][\w ./-]*")
DECIMAL = re.compile(r"[+-]?\d+,\d+")
WORDS = {"True": "true", "False": "false", "TRUE": "true", "FALSE": "false"}
CUT = re.compile(r"[.\[]")
TEXTS = ('"""', "'''")
CLOSING = {"[": "]", "{": "}"}


def located(problems: Sequence[Problem], text: str) -> list[Problem]:
    """Problems of an experiment file with their lines, in their order, as far as they are found.

    What is missing has the line of the table or list that it would stand in. ``text`` is valid
    TOML; of another one, lines are found as far as it can be followed.
    """
    if not text or len(text) > MAX_CHARACTERS:
        return list(problems)
    search = Search(text, {part for problem in problems for part in prefixes(problem.path)})
    search.document()
    found = [replace(problem, line=search.line_of(problem)) for problem in problems]
    return sorted(found, key=lambda problem: problem.line)


def prefixes(path: str) -> Iterator[str]:
    """A path, and what it lies in: ``a[0].b``, ``a[0]``, ``a``."""
    yield path
    for cut in sorted((m.start() for m in CUT.finditer(path)), reverse=True):
        if cut:
            yield path[:cut]


class Search:
    """Walks through a text, and notes in ``lines`` where each of the ``wanted`` paths begins."""

    def __init__(self, text: str, wanted: Collection[str]) -> None:
        self.wanted = wanted
        self.lines: dict[str, int] = {}
        self.texts: dict[str, int] = {}  # where the first line of a text of several lines is
        self.counts: dict[str, int] = {}  # of the tables of a list so far
        self.line = 1
        self.tokens = TOKEN.finditer(text)
        self.token = ""
        self.pending = 0  # line ends inside the present token
        self.advance()

    def line_of(self, problem: Problem) -> int:
        """The line of a problem; 0 where there is none."""
        if problem.row and problem.path in self.texts:
            return self.texts[problem.path] + problem.row - 1
        return next((self.lines[p] for p in prefixes(problem.path) if p in self.lines), 0)

    def advance(self) -> str:
        """The present token; the next one becomes present, or none, which is empty."""
        was = self.token
        self.line += self.pending
        for match in self.tokens:
            self.token = match[0]
            if not self.token.startswith("#"):
                break
        else:
            self.token = ""
        self.pending = self.token.count("\n")
        return was

    def note(self, path: str) -> None:
        """The present token is where a path begins, unless it was met before."""
        if path in self.wanted:
            self.lines.setdefault(path, self.line)

    def document(self) -> None:
        """The whole text."""
        table = ""
        while self.token:
            if self.token == "[":
                table = self.header()
            elif self.token == "\n":
                self.advance()
            else:
                self.pair(table)

    def header(self) -> str:
        """``[table]`` or ``[[table]]``; the path that its fields lie in."""
        start = self.line
        self.advance()
        many = self.token == "["
        if many:
            self.advance()
        parts = self.key()
        while self.token and self.token != "\n":
            self.advance()
        path = ""
        for i, part in enumerate(parts):
            path = join(path, part)
            if many and i == len(parts) - 1:
                self.counts[path] = self.counts.get(path, -1) + 1
            if path in self.wanted:
                self.lines.setdefault(path, start)
            if path in self.counts:
                path = f"{path}[{self.counts[path]}]"
        if path in self.wanted:
            self.lines.setdefault(path, start)
        return path

    def key(self) -> list[str]:
        """The parts of a dotted key."""
        parts = []
        while self.token and self.token not in "=]\n":
            word = self.advance()
            if word != ".":
                parts.append(unquoted(word))
        return parts

    def pair(self, table: str) -> None:
        """``key = value``."""
        start, path = self.line, table
        for part in self.key():
            path = join(path, part)
            if path in self.wanted:
                self.lines.setdefault(path, start)
        if self.token == "=":
            self.advance()
            self.value(path)
        elif self.token:
            self.advance()

    def value(self, path: str) -> None:
        """A value, up to what ends it; the insides of one that nobody asks for are passed over."""
        opening = self.token
        if opening[:3] in TEXTS and path in self.wanted:
            self.texts.setdefault(path, self.line + (opening[3:4] == "\n"))
        if opening not in CLOSING or path not in self.wanted:
            self.skip()
            return
        self.advance()
        place = 0
        while self.token and self.token != CLOSING[opening]:
            if self.token in ",\n":
                self.advance()
            elif opening == "{":
                self.pair(path)
            else:
                inside = f"{path}[{place}]"
                self.note(inside)
                self.value(inside)
                place += 1
        self.advance()

    def skip(self) -> None:
        """Pass over a value."""
        depth = 0
        while self.token and (depth or self.token not in ",]}\n"):
            depth += (self.token in CLOSING) - (self.token in CLOSING.values())
            self.advance()


def unquoted(word: str) -> str:
    """A part of a key without its quotes and escapes."""
    if word[:1] == "'":
        return word[1:-1]
    if word[:1] != '"':
        return word
    return ESCAPE.sub(lambda m: ESCAPED.get(m[1]) or chr(int(m[1][1:], 16)), word[1:-1])


def unreadable(said: str, text: str) -> str:
    """What follows the name of a file that is no TOML: the line, the parser's words, a remedy."""
    found = AT.search(said)
    if found is None:
        return f": not valid TOML: {said}"
    number = int(found[1])
    lines = text.splitlines()
    hint = remedy(said, lines[number - 1] if number <= len(lines) else "")
    return f":{number}: not valid TOML: {said}{hint}"


def remedy(said: str, line: str) -> str:
    """What beginners write that is no TOML, and what is right; empty where it is not known."""
    pair = PAIR.match(line)
    twice = TWICE.search(said)
    if twice is not None:
        header = re.escape(twice[1])
        many = re.match(rf"\s*\[{header}\]", line) and twice[1] == "layers"
        return ": write [[layers]], in two brackets, above each layer" if many else ""
    if pair is None:
        return ""
    key, value = pair[1], pair[2]
    if value in WORDS:
        return f": write {key} = {WORDS[value]}"
    if BARE.fullmatch(value):
        return f': text stands in quotes, {key} = "{value}"'
    if DECIMAL.fullmatch(value):
        return f": write {key} = {value.replace(',', '.')}, with a point"
    return ""
