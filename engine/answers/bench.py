"""What answers are tried on: the program at its positions, and scenes of random numbers."""

from functools import cached_property

from engine.answers.expected import Expected
from engine.answers.names import Names, Row, plain, rows_of
from engine.answers.scene import Scene, own_scene, random_scenes
from engine.chain.query import complete_at
from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.program.program import Program
from engine.run.position_text import parse_position
from engine.session.session import Session


class Bench:
    """Scenes and positions of one program, each made once."""

    def __init__(self, program: Program, session: Session | None = None) -> None:
        self.program = program
        # A session that somebody else has is where answers are meant that do not say where.
        self.sessions: dict[str | None, Session] = {} if session is None else {None: session}
        self.scenes: dict[tuple[str | None, int | None], Scene] = {}
        self.random: dict[tuple[bool, bool], list[Scene]] = {}

    @cached_property
    def names(self) -> Names:
        """The names that answers may use."""
        first = self.own(None, 0)
        letters = {plain(one) for one in first.letters} | set(first.letters)
        return Names(self.program, frozenset(letters))

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of the forward table."""
        return rows_of(self.program)

    @cached_property
    def expected(self) -> Expected:
        """What would have been right, as people write it."""
        return Expected(self.program, self.names)

    def session(self, at: str | None) -> Session:
        """A session at a position, by default where all of the first iteration is there."""
        if at not in self.sessions:
            session = Session(self.program)
            where = complete_at(session.program)
            session.goto(where if at is None else parse_position(at, Debugger(session)))
            self.sessions[at] = session
        return self.sessions[at]

    def own(self, at: str | None, sample: int | None) -> Scene:
        """The experiment's own numbers at a position; raises GradstepError for a bad sample."""
        key = (at, sample)
        if key not in self.scenes:
            tensors = self.session(at).tensors
            rows = len(tensors["x"])
            if sample is not None and not 0 <= sample < rows:
                raise GradstepError(f"sample {sample}: this batch has {rows}, from 0 to {rows - 1}")
            self.scenes[key] = own_scene(self.program, tensors, sample)
        return self.scenes[key]

    def tried(self, batch: bool, own_sizes: bool = False) -> list[Scene]:
        """The random scenes, of one sample or of a batch; of sizes of their own, or ours."""
        key = batch, own_sizes
        if key not in self.random:
            sample = None if batch else 0
            self.random[key] = random_scenes(self.program, sample, own_sizes=own_sizes)
        return self.random[key]
