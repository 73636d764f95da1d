"""The debugger: a session with its stops, watches, bookmarks and jump list."""

from engine.run.run import Run
from engine.session.bookmarks import Bookmarks, JumpList
from engine.session.session import Session
from engine.session.views import Views
from engine.stops.stop_list import StopList
from engine.stops.watches import Watches


class Debugger:
    """A session with stops, watches, bookmarks, the jump list and what was looked at.

    They stand beside the session and not in it: a session knows nothing of stops. ``outer`` is the
    debugger that this one was opened from, and that one goes back to.
    """

    def __init__(self, session: Session, outer: "Debugger | None" = None) -> None:
        self.session = session
        self.outer = outer
        self.stops = StopList(session.run)
        self.watches = Watches(session.run)
        self.bookmarks = Bookmarks()
        self.jumps = JumpList()
        self.views = Views()

    def __repr__(self) -> str:
        counts = (
            f"{len(found)} {word}{'' if len(found) == 1 else ending}"
            for found, word, ending in (
                (self.stops, "stop", "s"),
                (self.watches, "watch", "es"),
                (self.bookmarks, "bookmark", "s"),
            )
        )
        return f"<Debugger: {self.session!r}, {', '.join(counts)}>"

    # Positions refer to a run, an event and bookmarks: a debugger is what they are read against.

    @property
    def run(self) -> Run:
        """The run that the session steps through."""
        return self.session.run

    @property
    def event(self) -> int:
        """The event about to happen."""
        return self.session.event
