"""The debugger: a session, and what a person keeps beside it."""

from engine.run.run import Run
from engine.session.bookmarks import Bookmarks, JumpList
from engine.session.session import Session
from engine.stops.stop_list import StopList
from engine.stops.watches import Watches


class Debugger:
    """A session with stops, watches, bookmarks and the list of jumps."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.stops = StopList(session.run)
        self.watches = Watches(session.run)
        self.bookmarks = Bookmarks()
        self.jumps = JumpList()

    @property
    def run(self) -> Run:
        """What is run."""
        return self.session.run

    @property
    def event(self) -> int:
        """The event about to happen."""
        return self.session.event
