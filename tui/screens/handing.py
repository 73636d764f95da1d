"""The one way down: a View goes to what draws it, and to nothing that nobody sees."""

from dataclasses import replace

from textual.screen import Screen

from engine.program.program import Program
from tui.keys.shown import shown_of
from tui.panes.status import EquationLine, MessageLine, PhaseStrip, PositionLine
from tui.screens.parts import Parts
from tui.view.snapshot import View, same_place
from tui.widgets.key_line import KeyLine

# Panes that move while a run goes on; the others stand where it began, and cost nothing.
MOVING = frozenset({"timeline", "watches", "flow"})


class Handing:
    """Hands Views to the lines above and below the panes, to the panes, and to the line of keys."""

    def __init__(self, screen: Screen[None], parts: Parts, message_key: str, keys: KeyLine) -> None:
        self.screen = screen
        self.parts = parts
        self.keys = keys
        self.position, self.message = PositionLine(), MessageLine(message_key, id="message")
        self.heads = self.position, PhaseStrip(), EquationLine()

    def examined(self, view: View) -> View:
        """A View with the doctor's findings, where somebody sees the pane that shows them."""
        seen = "diagnostics" in self.parts.panes.seen and self.parts.stage.visible
        if view.findings is not None or not seen:
            return view
        if not isinstance(view.run, Program):
            doctor = self.parts.capture_examination
            found = doctor.findings()
            return replace(view, findings=found, looked=doctor.looked)
        return replace(view, findings=self.parts.examination.findings())

    def rest(self, view: View) -> None:
        """To all that is displayed; a pane that is hidden gets it when it is displayed."""
        for part in (*self.heads, self.message):
            part.view = view
        for pane in self.parts.panes.seen.values():
            pane.view = view
        debugger = self.parts.words.debugger
        changes = len(debugger.session.undo.changes)
        alone = self.screen.has_class("single") and not self.parts.panes.zoomed
        self.keys.shown = shown_of(view, len(debugger.bookmarks), changes, alone)

    def move(self, before: View | None, view: View | None) -> None:
        """To what moves while a run goes on; panes have nothing to draw of the same place."""
        self.position.view = self.message.view = view
        if not same_place(before, view):
            for name in MOVING & self.parts.panes.seen.keys():
                self.parts.panes.seen[name].view = view
