"""What a lesson consists of: a list of steps, each with the line of the file where it begins."""

from dataclasses import dataclass, field
from pathlib import Path

PANES = (
    *("program", "tensor", "jacobian", "chain", "variables"),
    *("watches", "console", "timeline", "flow", "diagnostics"),
)
"""The panes that a lesson may show, by their names on the screen."""
DERIVATIVES = ("jacobian", "chain")  # panes that may show dA/dB
FACES = ("numbers", "heat", "picture")  # how the tensor pane draws values
PARTS = ("cells", "sizes", "formulas")  # what may be hidden of a tensor


@dataclass(frozen=True)
class Step:
    """One step; ``line`` counts the lines of the file from 1."""

    line: int


@dataclass(frozen=True)
class Typed(Step):
    """A line of the command language, as a person types it; ``name`` is the word it runs."""

    text: str
    name: str


@dataclass(frozen=True)
class Say(Step):
    """A caption, of several lines; ``**bold**`` is its only markup."""

    text: str


@dataclass(frozen=True)
class Note(Step):
    """A note for the teacher, whom alone it is shown to, with the place where it stands."""

    text: str


@dataclass(frozen=True)
class Chapter(Step):
    """The beginning of a chapter; playing waits here."""

    title: str


@dataclass(frozen=True)
class Hold(Step):
    """Wait until the teacher goes on."""


@dataclass(frozen=True)
class Show(Step):
    """A pane with what it shows: a tensor, or the derivative ∂of/∂wrt.

    Empty and None leave a thing as it is; ``sample`` -1 is the whole batch, ``factor`` a place in
    a chain, ``face`` one of FACES. ``width`` of the program pane and ``height`` of the timeline are
    in cells.
    """

    pane: str
    of: str = ""
    wrt: str = ""
    zoom: bool = False
    sample: int | None = None
    layout: str = ""
    face: str = ""
    factor: int = 0
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class Play(Step):
    """Go op by op to where a line of the command language leads, ``rate`` ops a second."""

    text: str
    rate: float


@dataclass(frozen=True)
class Ask(Step):
    """A question. ``kind`` says what its answer is, and ``right`` the right one as it is written.

    ``formula`` is judged as ``grade`` does, ``expression`` is a value at the cursor, ``choice`` one
    of ``choices``, ``text`` a word. ``within`` is how far a number may be away, a share of the
    right one where it is ``relative``.
    """

    question: str
    kind: str
    right: str = ""
    choices: tuple[str, ...] = ()
    within: float | None = None
    relative: bool = False


@dataclass(frozen=True)
class Hide(Step):
    """Hide ``part`` of tensors, of all without any: one of PARTS, or ``next``, the op to come."""

    part: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reveal(Step):
    """Show what was hidden of tensors again; of everything without any."""

    names: tuple[str, ...] = ()


AnyStep = Typed | Say | Note | Chapter | Hold | Show | Play | Ask | Hide | Reveal
WAITING = (Chapter, Hold, Ask)  # steps at which playing stops


@dataclass(frozen=True)
class Lesson:
    """A lesson as it was read: what it is over, and its steps.

    ``thing`` is as written in the first line; a path in it is relative to the file's folder.
    ``about`` is the comment before it, if there is one.
    """

    file: str
    thing: str
    steps: tuple[AnyStep, ...] = field(repr=False)
    about: str = ""

    @property
    def folder(self) -> Path:
        """Where the files that it names are looked for."""
        return Path(self.file).parent

    @property
    def title(self) -> str:
        """What it is called: what it says of itself, else the name of the file."""
        return self.about or Path(self.file).stem

    @property
    def questions(self) -> tuple[Ask, ...]:
        """Its questions, in their order."""
        return tuple(step for step in self.steps if isinstance(step, Ask))

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        """Its chapters, in their order."""
        return tuple(step for step in self.steps if isinstance(step, Chapter))
