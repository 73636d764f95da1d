"""The debugger's screen, as the screens know it that stand over it."""

from typing import Protocol

from engine.session.session import Session
from tui.control.display import Display
from tui.control.notes import Notes
from tui.control.worker import Job
from tui.keys.command import Command
from tui.keys.messages import Choice


class Beneath(Display, Protocol):
    """The screen below: what it shows, and what keys do there."""

    commands: tuple[Command, ...]
    notes: Notes

    @property
    def session(self) -> Session: ...
    @property
    def job(self) -> Job | None: ...

    def resting(self) -> bool: ...
    def action_press(self, name: str) -> None: ...
    def chosen(self, message: Choice) -> None: ...
    def cancel(self) -> None: ...
