"""Which panes stand where: side by side, or one under a line of tabs; the focus and the sizes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, cast

from textual.screen import Screen
from textual.widget import Widget

from engine.lesson.steps import FACES
from engine.program.program import Program
from engine.session.session import Session
from tui.control.display import Acts, Display
from tui.control.follow import Follow
from tui.keys.bound import pane_title
from tui.keys.command import PANES, Command, to_pane
from tui.render.listing import natural_width
from tui.render.op import wanted_height
from tui.render.poster import DRAWN
from tui.render.tensor_tree import shown_rows
from tui.view.display import Face, TensorDisplay

NARROW, LOW, WIDE = 100, 30, 150  # below these sizes the panes become tabs; above, more room
AROUND = 6  # lines that stand around the panes: three at the top, the tabs, the note, the keys
TIMELINE, TIMELINE_MORE = 7, 12  # lines of the timeline; those it may have besides
HIGHEST = 18  # lines of a result that is worth more than a higher timeline
PAIR = ("program", "tensor")  # what is seen together in little room
FEWEST = 6  # lines of the variables, border included
USUAL = 24  # lines of a small screen; of others the program has half of what is more
CAPTION = 6  # lines of a caption, as a rule: where so many are left, all panes have room
STRIP = 4  # lines of the program above an op: its title, before, now, next
PROGRAM, PROGRAM_WIDE = (38, 46), (38, 60)  # the narrowest and widest program pane
FRAME = 3  # the border and the scrollbar of a pane
LEAST = {"program": 24, "timeline": 4}  # cells that a pane needs at least, its border included
OF_WHAT = " · of the tensor followed, or chosen in {}"
SAID = {"jacobian": OF_WHAT, "chain": OF_WHAT, "watches": " · and watchpoints, which stop runs"}
# Commands of the tensor pane that change only how it is drawn: the focus stays where it is.
STAY = ("heat", "side", "range-off", "axes", "axes-previous", "transpose", "index-next",
        "index-previous", "format", "format-previous", "digits-more", "digits-fewer")  # fmt: skip


class Shows(Protocol):
    """A pane: a widget that takes the View to draw."""

    view: Any


class Listing(Protocol):
    """The program pane, which shows the ops or a PyTorch loop."""

    as_code: bool


class Large(Protocol):
    """What is drawn alone on the screen, of a pane."""

    view: Any
    pane: str


class Formed(Protocol):
    """The tensor pane, with how it draws values."""

    form: TensorDisplay


class Costs(Protocol):
    """The flow pane, which shows what flows through the layers or what they cost."""

    def switch(self) -> bool:
        """Show the other one; whether these are the costs."""


class Tabs(Protocol):
    """A line of tabs."""

    def show(self, tabs: tuple[str, ...], active: str) -> None:
        """Show the tabs of these panes, the one of ``active`` marked."""


class Keys(Protocol):
    """The line of keys of a place."""

    place: str


class Layout:
    """Displays, sizes and focuses the panes of a screen.

    ``pane`` has the focus, ``inspector`` the place of the tensor pane; ``sizes`` are chosen widths
    and heights in cells; ``whole`` says that all panes are mounted. ``seen`` are the panes that are
    displayed, to which ``show`` hands the View.
    """

    def __init__(
        self,
        screen: Screen[None],
        session: Session,
        display: Display,
        follow: Follow,
        tabs: tuple[Tabs, Tabs],
        keys: Keys,
        show: Callable[[], None],
    ) -> None:
        self.screen = screen
        self.session = session
        self.display = display
        self.follow = follow
        self.tabs = tabs
        self.keys = keys
        self.show = show
        self.pane = "program"
        self.inspector = "tensor"
        self.zoomed = False
        self.whole = False
        self.taken = 0  # lines that the panes have less than the screen, below a lesson's caption
        self.sizes: dict[str, int] = {}
        self.panes: dict[str, Widget] = {}
        self.seen: dict[str, Shows] = {}

    @property
    def acts(self) -> Acts:
        """What keys do here."""
        return {
            **{to_pane(key): partial(self.choose, key) for key in PANES},
            "next-pane": partial(self.next_pane, 1),
            "previous-pane": partial(self.next_pane, -1),
            "wider": partial(self.resize, "program", 2),
            "narrower": partial(self.resize, "program", -2),
            "higher": partial(self.resize, "timeline", 1),
            "lower": partial(self.resize, "timeline", -1),
            "zoom": self.zoom,
            "large": self.enlarge,
            "listing": self.listing,
            "layers": self.layers,
        }

    def know_panes(self) -> None:
        """Index the mounted panes by their ids, and give them their titles."""
        self.panes = {widget.id or "": widget for widget in self.screen.query(".pane")}
        for key, widget in self.panes.items():
            if not widget.border_title:  # one that says more has done so itself
                more = SAID.get(key, "").format(pane_title(self.display.keys, "variables"))
                widget.border_title = pane_title(self.display.keys, key) + more

    def lay_out(self) -> None:
        """All panes, or the focused one alone under a line of tabs."""
        if not self.panes:  # the first size comes before they are known
            return
        screen = self.screen
        width, height = screen.size
        large, drawn = self.large, self.drawn
        screen.set_class(drawn, "drawn")
        single = large or self.zoomed or width < NARROW or height - self.taken < LOW
        # An op and its numbers are seen together, in little room too.
        paired = single and not (large or self.zoomed) and self.pane in PAIR
        stacked = paired and width < NARROW
        screen.set_class(single, "single")
        screen.set_class(stacked, "stacked")
        screen.set_class(width >= WIDE, "wide")
        screen.set_class(self.inspector != "tensor", "deep")
        alone = PAIR if paired else (self.pane,)
        for key, widget in self.panes.items():
            other = PANES[key].inspector and key != self.inspector
            widget.set_class(key not in alone if single else other, "hidden")
        self.seen = {
            key: cast(Shows, widget)
            for key, widget in self.panes.items()
            if not widget.has_class("hidden") and not self.missing(key)
        }
        if drawn:
            poster = cast(Large, screen.query_one("#poster"))
            poster.pane = self.pane
            self.seen = {"poster": poster}
        inside = {key for key in PANES if key not in ("program", "timeline")}
        screen.query_one("#side").set_class(single and inside.isdisjoint(alone), "hidden")
        screen.query_one("#body").set_class(single and self.pane == "timeline", "hidden")
        # None gives way to the style sheet.
        panes = self.panes
        beside = not single or (paired and not stacked)
        panes["program"].styles.width = self.program_width() if beside else None
        more = max(0, height - USUAL) // 2
        panes["program"].styles.height = STRIP + more if stacked else None
        panes["variables"].styles.height = self.variables_height(single)
        panes["timeline"].styles.height = None if single else self.timeline_height()
        top, side = self.tabs
        top.show(tuple(PANES), self.pane)
        side.show(tuple(key for key, pane in PANES.items() if pane.inspector), self.inspector)
        self.keys.place = self.pane
        self.show()

    def missing(self, pane: str) -> bool:
        """Whether a pane is about layers, and the run has none."""
        return bool(self.follow.refusal(pane))

    # -- sizes

    def program_width(self) -> int | None:
        """The width in cells: the chosen one, else what the formulas need.

        None leaves it to the style sheet, as for the listing in PyTorch.
        """
        if "program" in self.sizes or self.screen.has_class("code"):
            return self.sizes.get("program")
        most = PROGRAM_WIDE if self.screen.has_class("wide") else PROGRAM
        session = self.session
        return max(PROGRAM[0], min(most[1], natural_width(session.run, session.listing) + FRAME))

    def timeline_height(self) -> int:
        """The chosen height in lines, else more than the least where the panes beside spare it."""
        session = self.session
        panes = wanted_height(session.run, session.listing, HIGHEST) + self.variables_wanted() + 2
        spare = self.screen.size.height - AROUND - TIMELINE - panes
        return self.sizes.get("timeline", TIMELINE + max(0, min(spare, TIMELINE_MORE)))

    def variables_wanted(self) -> int:
        """The lines that the tensors need, border included."""
        return len(shown_rows(self.session.run, frozenset(), "")) + 2

    def variables_height(self, single: bool) -> int | None:
        """The lines that the tensors need, border included, as far as an op leaves them.

        The values get the rest. None leaves the height to the style sheet.
        """
        if single or self.screen.has_class("deep"):
            return None
        session = self.session
        room = self.screen.size.height - AROUND - self.timeline_height()
        left = room - 2 - wanted_height(session.run, session.listing)
        return min(self.variables_wanted(), max(FEWEST, left))

    def resize(self, pane: str, by: int) -> None:
        """Make the program wider or narrower, or the timeline higher or lower."""
        if self.screen.has_class("single"):
            self.display.show_now("one pane is shown: there is nothing to resize")
            return
        size = self.panes[pane].outer_size
        now = size.width if pane == "program" else size.height
        self.sizes[pane] = self.bounded(pane, now + by)
        self.lay_out()

    def bounded(self, pane: str, size: int) -> int:
        """A width or a height in cells that a pane may have: half of the screen at most."""
        whole = self.screen.size
        most = whole.width // 2 if pane == "program" else whole.height // 2
        return max(LEAST[pane], min(most, size))

    def zoom(self) -> None:
        """The focused pane alone, and back."""
        self.zoomed = not self.zoomed
        self.lay_out()

    @property
    def large(self) -> bool:
        """Whether one idea stands alone on the screen."""
        return self.screen.has_class("large")

    @property
    def drawn(self) -> bool:
        """Whether the idea of the pane is drawn anew; a heat map is an idea as it is."""
        coloured = self.pane == "tensor" and self.face != FACES[0]
        return self.large and self.pane in DRAWN and not coloured

    def stay_large(self) -> None:
        """Lay out again where another kind of idea has been chosen."""
        if self.drawn != self.screen.has_class("drawn"):
            self.lay_out()

    def enlarge(self) -> None:
        """One idea alone on the screen with its caption, for people at the back; and back."""
        self.screen.set_class(not self.large, "large")
        self.lay_out()
        if not self.large:
            self.resume()

    def leave_room(self, caption: bool) -> None:
        """Lay out again where a caption has come or is gone."""
        self.taken = CAPTION if caption else 0
        self.lay_out()

    # -- the focus

    def go_to(self, pane: str) -> None:
        """Give a pane the focus, and display it where it is under a tab."""
        if not self.follow.may(pane):
            return
        self.remember(pane)
        if pane not in self.panes:
            return  # clicked before it is there: it gets the focus as soon as it is
        target = self.panes[pane]
        if not target.can_focus:
            # A pane of several widgets is a container, which takes no focus itself.
            target = next(part for part in target.walk_children(Widget) if part.can_focus)
        self.screen.set_focus(target)

    def choose(self, pane: str) -> None:
        """Give a pane the focus; what was said of the last key is over."""
        self.go_to(pane)
        self.display.say(note="")

    def resume(self) -> None:
        """Give the focus back to the pane that had it."""
        self.go_to(self.pane)

    def put_beside(self, inspector: str) -> None:
        """Show an inspector beside the program, which keeps the focus."""
        self.inspector = inspector
        self.lay_out()

    def remember(self, pane: str) -> None:
        """Make ``pane`` the one worked in, and the inspector on display if it is one."""
        self.pane = pane
        self.inspector = pane if PANES[pane].inspector else self.inspector
        self.lay_out()

    def focused(self, widget: Widget) -> None:
        """A click has given a widget the focus: remember its pane."""
        for node in widget.ancestors_with_self:
            if node.id in PANES and node.id != self.pane:
                self.remember(node.id)

    def reach(self, command: Command) -> Widget | None:
        """The pane of a command, for its key from beside it; None, with a note, where it is hidden.

        Where more changes than how it is drawn, it gets the focus.
        """
        pane, target = PANES[command.pane], self.panes[command.pane]
        if not target.display and not (self.drawn and self.pane == command.pane):
            keys = self.display.keys
            place = f"{pane.title} pane: {keys[to_pane(command.pane)]}"
            self.display.show_now(f"{keys[command.id]} is a key of the {place} goes there")
            return None
        if command.id not in STAY:
            self.go_to(command.pane)
        return target

    def next_pane(self, by: int) -> None:
        """Go to the next or the previous pane."""
        keys = list(PANES)
        self.choose(keys[(keys.index(self.pane) + by) % len(keys)])

    # -- what three of the panes show

    @property
    def face(self) -> str:
        """How the tensor pane draws values: a word of FACES."""
        if "tensor" not in self.panes:
            return FACES[0]
        form = cast(Formed, self.panes["tensor"]).form
        return FACES[list(Face).index(form.face)]

    def draw(self, face: str) -> None:
        """Have the tensor pane draw values in one of FACES; "" leaves them as they are."""
        if face and "tensor" in self.panes:
            pane = cast(Formed, self.panes["tensor"])
            pane.form = replace(pane.form, face=list(Face)[FACES.index(face)])
            self.lay_out()

    def listing(self) -> None:
        """The program as ops, or as a PyTorch loop, or as the script that was captured."""
        if not self.follow.has_code():
            return
        program = cast(Listing, self.panes["program"])
        program.as_code = not program.as_code
        self.screen.set_class(program.as_code, "code")
        self.lay_out()

    def layers(self) -> None:
        """The flow through the layers, or what they cost; from elsewhere, the flow pane."""
        if not self.follow.may("flow"):
            return
        if self.pane != "flow":
            self.go_to("flow")
        elif not isinstance(self.session.run, Program):
            self.display.show_now("what its layers cost is not known of a captured script")
        elif "flow" in self.panes and self.follow.layered():
            costs = cast(Costs, self.panes["flow"]).switch()
            self.display.show_now("what the layers cost" if costs else "what flows through them")
