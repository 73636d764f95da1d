"""Views as lessons and recordings have them: a pane with what it is about."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from engine.errors import GradstepError
from engine.jacobian.operator import Layout
from engine.lesson.hidden import Hidden
from engine.lesson.steps import FACES, Show
from engine.run.run import Run
from engine.session.views import Views
from tui.control.display import Acts, Display
from tui.control.follow import Follow
from tui.control.layout import Layout as Panes
from tui.view.snapshot import Selection


def looking(step: Show, before: Selection, run: Run) -> Selection:
    """What is selected in a view: its tensor, or what the last op wrote; its derivative."""
    from engine.lesson.tensors import tensor_of  # few sessions have lessons

    derivative = replace(before.derivative, of=None, wrt=None, factor=step.factor)
    if step.wrt:
        derivative = replace(derivative, of=tensor_of(run, step.of), wrt=tensor_of(run, step.wrt))
    if step.sample is not None:
        derivative = replace(derivative, sample=None if step.sample < 0 else step.sample)
    if step.layout:
        numerator = step.layout == "numerator"
        layout = Layout.NUMERATOR if numerator else Layout.GRADIENT
        derivative = replace(derivative, layout=layout)
    tensor = tensor_of(run, step.of) if step.of and not step.wrt else None
    return replace(before, tensor=tensor, derivative=derivative, row=None)


def show(step: Show, follow: Follow, panes: Panes, run: Run) -> None:
    """Show a pane with what it is about; a note where it has nothing to show of the run."""
    if not follow.may(step.pane):
        return
    follow.selection = looking(step, follow.selection, run)
    follow.refresh()
    panes.zoomed = step.zoom
    panes.draw(step.face)
    sizes = {"program": step.width, "timeline": step.height}
    panes.sizes |= {pane: panes.bounded(pane, size) for pane, size in sizes.items() if size}
    panes.go_to(step.pane)


def conceal(hidden: Hidden, follow: Follow, panes: Panes, display: Display) -> None:
    """Hide something from here on, or show it again; panes that could tell it give way."""
    follow.hidden = hidden
    if follow.refusal(panes.inspector):
        panes.inspector = "tensor"
    if follow.refusal(panes.pane):
        panes.go_to("program")
    panes.lay_out()
    display.moment()  # what was said before could tell it
    display.show_now()


class Guide:
    """Shows what was looked at when a recording was made, until a person looks elsewhere.

    ``views`` are the recorded ones; ``replayed`` says whether the run is a recording's, whose own
    views are followed and not noted.
    """

    def __init__(
        self,
        views: Views,
        follow: Follow,
        panes: Panes,
        display: Display,
        replayed: Callable[[], bool],
    ) -> None:
        self.views = views
        self.follow = follow
        self.panes = panes
        self.display = display
        self.replayed = replayed
        self.free = False
        self.last = ""

    @property
    def acts(self) -> Acts:
        """What keys do here."""
        return {"guide": partial(self.switch)}

    def switch(self) -> None:
        """A view of one's own, or again the one of who made the recording."""
        if not (self.views and self.replayed()):
            self.display.show_now("there are no recorded views here to follow")
            return
        self.free, self.last = not self.free, ""
        if self.free:
            self.display.show_now(
                f"a view of your own: {self.display.keys['guide']} follows the recorded one again"
            )
        else:
            self.look(self.follow.session.event)
            self.display.say(note="what is looked at is as it was recorded")

    def look(self, event: int) -> None:
        """Show the recorded view at an event, where it is another than before."""
        if self.free or not self.views or not self.replayed():
            return
        text = self.views.at(event)
        if text == self.last:
            return
        self.last = text  # first: showing it comes back here
        step = view_of(text, self.follow.session.run)
        if step is not None and step.pane == "tensor" and not step.face:
            step = replace(step, face=FACES[0])
        if step is not None and self.panes.whole:
            show(step, self.follow, self.panes, self.follow.session.run)


def view_of(text: str, run: Run) -> Show | None:
    """The view of a line in a recording; None for what is none, or is of another run."""
    from engine.lesson.own_words import read_view
    from engine.lesson.tensors import known

    try:
        step = read_view(text, 0) if text.startswith("view ") else None
        if step is not None:
            known(run, tuple(name for name in (step.of, step.wrt) if name))
    except GradstepError:
        return None
    return step
