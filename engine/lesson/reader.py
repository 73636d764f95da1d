"""A lesson read from its text: every line that is wrong is named at once, with its number."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from engine.errors import MAX_LINES, GradstepError
from engine.files import open_regular, read_regular
from engine.lesson.own_words import OWN, Wrong, quoted
from engine.lesson.shipped import shipped_names, shipped_path
from engine.lesson.steps import AnyStep, Lesson, Note, Say, Typed
from engine.wording import nearest, shown
from engine.words.command import CommandError
from engine.words.language import parse
from engine.words.table import COMMANDS

MAX_BYTES = 2**20
MAX_ABOUT = 200  # characters
HEAD = 65_536  # bytes in which the first line that is no comment is looked for
MAX_STEPS = 5_000
MAX_CAPTION = 10_000  # characters
QUOTES = '"""'
OPEN = "open"
LONG: Mapping[str, type[Say | Note]] = {"say": Say, "note": Note}
"""Words whose text may stand on several lines, in QUOTES."""
FIRST = "a lesson begins with `open THING`: a built-in's name, a .toml or a .gradstep file"
WRITING = ("worksheet",)  # words that write a file where they have an argument like one


class LessonError(GradstepError):
    """All that is wrong with a lesson, a line each."""

    def __init__(self, file: str, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        lines = [f"{file}:{place}: {message}" for place, message in problems[:MAX_LINES]]
        if len(problems) > MAX_LINES:
            lines.append(f"… and {len(problems) - MAX_LINES} more")
        super().__init__("\n".join(lines))


def load_lesson(name: str) -> Lesson:
    """The lesson of a file, or one that comes with gradstep, by its name; ``-`` is stdin.

    Raises LessonError, and GradstepError where there is no such text.
    """
    path = shipped_path(name)
    return read_lesson(text_of(str(path)), str(path))


def text_of(file: str) -> str:
    """The text of a file. Raises GradstepError where it is none, or of more than MAX_BYTES."""
    try:
        if file == "-":
            if sys.stdin is None:
                raise GradstepError("-: there is no standard input; name a file instead")
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
            if len(raw) > MAX_BYTES:
                raise GradstepError(f"-: more than {MAX_BYTES:,} bytes")
        else:
            raw = read_regular(Path(file), MAX_BYTES)
        return raw.decode("utf-8-sig")
    except FileNotFoundError:
        known = nearest(Path(file).name, shipped_names())
        raise GradstepError(f"{file}: neither a file nor a lesson's name; {known}") from None
    except OSError as error:
        raise GradstepError(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise GradstepError(f"{file}: not UTF-8 text: a lesson is a text file") from None


def names_lesson(name: str) -> bool:
    """Whether a name is that of a lesson: one that comes along, or a text that begins like one."""
    path = shipped_path(name)
    try:
        with open_regular(path) as file:
            head = file.read(HEAD).decode("utf-8-sig", errors="ignore")
    except (OSError, GradstepError):
        return False
    return "\0" not in head and is_lesson(head)


def is_lesson(text: str) -> bool:
    """Whether a text begins as a lesson does, with ``open THING``."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return line.split()[0] == OPEN
    return False


def read_lesson(text: str, file: str) -> Lesson:
    """The lesson of a text; ``file`` is what errors call it. Raises LessonError."""
    problems: list[tuple[str, str]] = []
    thing, steps = "", list[AnyStep]()
    for number, line, said in statements(text, problems):
        if not thing:
            thing = opened(line, number, problems)
            if problems:
                break  # it is no lesson: the rest says nothing
            continue
        try:
            steps.append(step(line, number) if said is None else long_step(line, number, said))
        except Wrong as wrong:
            problems.append((f"{number}:{wrong.column + 1}", wrong.message))
        except CommandError as error:
            problems.append((f"{number}:{error.column + 1}", error.message))
        if len(steps) > MAX_STEPS:
            problems.append((str(number), f"more than {MAX_STEPS:,} steps"))
            break
    if not thing and not problems:
        problems.append(("1", FIRST))
    if problems:
        raise LessonError(file, problems)
    return Lesson(file, thing, tuple(steps), about(text))


def about(text: str) -> str:
    """What a lesson says of itself: the comment in its first line."""
    first = text.partition("\n")[0].strip()
    return first.lstrip("#").strip()[:MAX_ABOUT] if first.startswith("#") else ""


def statements(text: str, problems: list[tuple[str, str]]) -> Iterator[tuple[int, str, str | None]]:
    """The number and text of each line that is no comment; with the text of ``say \"\"\"``."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        line, number = lines[at], at + 1
        at += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        word, _, rest = line.strip().partition(" ")
        if word not in LONG or not rest.lstrip().startswith(QUOTES):
            yield number, line, None
            continue
        said, at = long_caption(lines, at - 1)
        if said is None:
            problems.append((str(number), f"the text of {word} has no end: {QUOTES} is missing"))
            return
        caption, behind = said
        if behind.strip():
            problems.append((str(number), f"nothing is expected behind {QUOTES}: {shown(behind)}"))
        elif len(caption) > MAX_CAPTION:
            problems.append(
                (str(number), f"the text of {word} has at most {MAX_CAPTION:,} characters")
            )
        yield number, line, caption


def long_step(line: str, number: int, text: str) -> AnyStep:
    """The step of a text on several lines."""
    return LONG[line.split(maxsplit=1)[0]](number, text)


def long_caption(lines: Sequence[str], at: int) -> tuple[tuple[str, str] | None, int]:
    """The caption that begins in a line and what stands behind it, and the line after it."""
    first = lines[at].split(QUOTES, 1)[1]
    parts = [first]
    while QUOTES not in parts[-1]:
        at += 1
        if at >= len(lines):
            return None, at
        parts.append(lines[at])
    parts[-1], behind = parts[-1].split(QUOTES, 1)
    return (laid_out(parts), behind), at + 1


def laid_out(lines: Sequence[str]) -> str:
    """A caption without the indent that its lines share, and the blank lines around it."""
    rest = [line for line in lines[1:] if line.strip()]
    indent = min((len(line) - len(line.lstrip()) for line in rest), default=0)
    text = [lines[0].strip(), *(line[indent:].rstrip() for line in lines[1:])]
    return "\n".join(text).strip("\n")


def opened(line: str, number: int, problems: list[tuple[str, str]]) -> str:
    """The thing that the first line opens; what is wrong with it goes to ``problems``."""
    word, _, rest = line.strip().partition(" ")
    thing = rest.strip()
    if thing.startswith('"'):
        try:
            thing, behind = quoted(thing, 0)
            thing = "" if behind != len(rest.strip()) else thing
        except Wrong:
            thing = ""
    if word != OPEN or not thing:
        problems.append((str(number), FIRST))
    return thing or FIRST


def step(line: str, number: int) -> AnyStep:
    """The step of a line; raises Wrong or CommandError with the column."""
    word = line.split(maxsplit=1)[0]
    if word == OPEN:
        raise Wrong("a lesson opens one thing, in its first line", line.index(word))
    read: Callable[[str, int], AnyStep | None] | None = OWN.get(word)
    own = None if read is None else read(line, number)
    if own is not None:
        return own
    try:
        parsed = parse(line)
    except CommandError:
        near = get_close_matches(word, OWN, n=1)
        if near and word not in COMMANDS:
            raise Wrong(f"no word {word!r} (did you mean {near[0]}?)", line.index(word)) from None
        raise
    assert parsed is not None  # neither blank nor a comment
    command, argument, _ = parsed
    name = command.names[0]
    if name in WRITING and any(
        not w.text.isdigit() and w.text != "batch" for w in argument.words()
    ):
        raise Wrong("a lesson writes no files", argument.column)
    return Typed(number, line.strip(), name)
