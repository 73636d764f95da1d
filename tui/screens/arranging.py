"""Which panes stand where: side by side, or one under a line of tabs; the focus and the sizes.

An abstract base of the main screen.
"""

from typing import Protocol, cast

from textual import events, on
from textual.widget import Widget

from tui.keys.messages import PaneChosen
from tui.keys.table import PANES, Command, key_name
from tui.panes.status import TabLine
from tui.render.listing import natural_width
from tui.render.variables import names_of
from tui.screens.playback import Playing
from tui.view.snapshot import View
from tui.widgets.key_line import KeyLine

NARROW, LOW, WIDE = 100, 30, 150  # below these sizes the panes become tabs; above, more room
PROGRAM, PROGRAM_WIDE = (38, 46), (38, 60)  # the narrowest and widest program pane
FRAME = 3  # the border and the scrollbar of a pane
LEAST = {"program": 24, "timeline": 4}  # cells that a pane needs at least, its border included

# Commands of the tensor pane that change only how it is drawn: the focus stays where it is.
STAY = ("heat", "side", "range-off", "axes", "axes-previous", "transpose", "index-next",
        "index-previous", "format", "format-previous", "digits-more", "digits-fewer")  # fmt: skip


class Shows(Protocol):
    """A pane: a widget that takes the View to draw."""

    view: View | None


class Arranging(Playing):
    """The layout of the panes, on top of playback.

    ``pane`` has the focus, ``inspector`` the place of the tensor pane; ``sizes`` are chosen widths
    and heights in cells; ``whole`` says that all panes are mounted.
    """

    pane = "program"
    inspector = "tensor"
    zoomed = False
    whole = False
    sizes: dict[str, int]
    panes: dict[str, Widget]
    commands: tuple[Command, ...]

    def know_panes(self) -> None:
        """Index the mounted panes by their ids, and give them their titles."""
        self.panes = {widget.id or "": widget for widget in self.query(".pane")}
        for key, widget in self.panes.items():
            widget.border_title = f"{PANES[key].number} {PANES[key].title}"

    def lay_out(self) -> None:
        """All panes, or the focused one alone under a line of tabs."""
        width, height = self.size
        single = self.zoomed or width < NARROW or height < LOW
        self.set_class(single, "single")
        self.set_class(width >= WIDE, "wide")
        self.set_class(self.inspector != "tensor", "deep")
        for key, widget in self.panes.items():
            other = PANES[key].inspector and key != self.inspector
            widget.set_class(key != self.pane if single else other, "hidden")
        inside = {key for key in PANES if key not in ("program", "timeline")}
        self.query_one("#side").set_class(single and self.pane not in inside, "hidden")
        self.query_one("#body").set_class(single and self.pane == "timeline", "hidden")
        # None gives way to the style sheet.
        self.query_one("#program").styles.width = None if single else self.program_width()
        self.query_one("#variables").styles.height = self.variables_height(single)
        self.query_one("#timeline").styles.height = None if single else self.sizes.get("timeline")
        self.query_one("#top-tabs", TabLine).show(tuple(PANES), self.pane)
        tabs = tuple(key for key, pane in PANES.items() if pane.inspector)
        self.query_one("#side-tabs", TabLine).show(tabs, self.inspector)
        self.query_one(KeyLine).place = self.pane
        self.hand_down()

    def hand_down(self) -> None:
        """Give the View to the displayed panes; the others get it when they are displayed."""
        for key, widget in self.panes.items():
            if not widget.has_class("hidden"):  # nothing is computed for a pane that is hidden
                missing = PANES[key].layers and not self.has_layers
                cast(Shows, widget).view = None if missing else self.current_view

    def program_width(self) -> int | None:
        """The width in cells: the chosen one, else what the formulas need.

        None leaves it to the style sheet, as for the listing in PyTorch.
        """
        if "program" in self.sizes or self.has_class("code"):
            return self.sizes.get("program")
        most = PROGRAM_WIDE if self.has_class("wide") else PROGRAM
        session = self.session
        return max(PROGRAM[0], min(most[1], natural_width(session.run, session.listing) + FRAME))

    def variables_height(self, single: bool) -> int | None:
        """In a wide terminal the lines that the tensors need, border included, at most half of it.

        The values get the rest. None leaves the height to the style sheet.
        """
        if single or not self.has_class("wide") or self.has_class("deep"):
            return None
        needed = len(names_of(self.session.run)) + 2
        return min(needed, self.size.height // 2)

    def action_resize(self, pane: str, by: int) -> None:
        """Make the program wider or narrower, or the timeline higher or lower."""
        if self.has_class("single"):
            self.show_now("one pane is shown: there is nothing to resize")
            return
        size = self.query_one(f"#{pane}").outer_size
        now = size.width if pane == "program" else size.height
        most = self.size.width // 2 if pane == "program" else self.size.height // 2
        self.sizes[pane] = max(LEAST[pane], min(most, now + by))
        self.lay_out()

    def go_to_pane(self, pane: str) -> None:
        """Give a pane the focus, and display it where it is under a tab."""
        if PANES[pane].layers and not self.layered():
            return
        self.remember(pane)
        if not self.whole and not self.query(f"#{pane}"):
            return  # clicked before it is there: it gets the focus as soon as it is
        target: Widget = self.query_one(f"#{pane}")
        if not target.can_focus:
            # A pane of several widgets is a container, which takes no focus itself.
            target = next(part for part in target.walk_children(Widget) if part.can_focus)
        self.set_focus(target)

    def remember(self, pane: str) -> None:
        """Make ``pane`` the one worked in, and the inspector on display if it is one."""
        self.pane = pane
        self.inspector = pane if PANES[pane].inspector else self.inspector
        self.lay_out()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember the pane that a click gave the focus to."""
        for node in event.widget.ancestors_with_self:
            if node.id in PANES and node.id != self.pane:
                self.remember(node.id)

    @on(PaneChosen)
    def choose_pane(self, message: PaneChosen) -> None:
        """Give the chosen pane the focus."""
        self.go_to_pane(message.pane)
        self.say(note="")

    def action_next_pane(self, by: int) -> None:
        """Go to the next or the previous pane."""
        keys = list(PANES)
        self.go_to_pane(keys[(keys.index(self.pane) + by) % len(keys)])
        self.say(note="")

    async def action_in_pane(self, pane: str, name: str) -> None:
        """A command of a pane that is on screen; where it is not, the key that leads there."""
        command = next(command for command in self.commands if command.id == name)
        target = self.query_one(f"#{pane}")
        if not target.display:
            place = f"{PANES[pane].title} pane: {PANES[pane].number}"
            self.show_now(f"{key_name(command.keys[0])} is a key of the {place} goes there")
            return
        if name not in STAY:
            self.go_to_pane(pane)
        await self.app.run_action(command.action, default_namespace=target)

    def action_zoom(self) -> None:
        """The focused pane alone, and back."""
        self.zoomed = not self.zoomed
        self.lay_out()
