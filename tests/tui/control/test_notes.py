"""Notes: those of one moment stand together, none is lost, and all of them can be read."""

from tests.tui.screen import debugger
from tests.tui.typist import note, run_line
from tui.control.notes import MOST_KEPT, MOST_SHOWN, Notes
from tui.screens.notes import NotesScreen


def test_what_is_said_in_one_moment_stands_together():
    notes = Notes()
    assert notes.tell("one", 1) == "one"
    assert notes.tell("", 1) == "one", "nothing said hides nothing of the same moment"
    assert notes.tell("two", 2) == "one · two"
    assert notes.tell("one", 2) == "one · two", "not twice"
    notes.moment()
    assert notes.tell("", 3) == ""
    assert notes.tell("three", 3) == "three"
    assert notes.past == [(1, "one"), (2, "two"), (3, "three")]


def test_notes_are_bounded():
    notes = Notes()
    for n in range(MOST_KEPT + 10):
        shown = notes.tell(f"note {n}", n)
    assert len(notes.past) == MOST_KEPT
    assert shown.count("note") == MOST_SHOWN


async def test_a_note_stays_until_the_next_key_says_something():
    async with debugger("regression") as shown:
        await shown.press("S")
        assert note(shown) == "at the first event"
        shown.main.say(note="and something else")
        assert note(shown) == "at the first event · and something else"
        await shown.press("s")
        assert note(shown) == ""


async def test_what_is_cut_names_the_key_that_shows_all_of_it():
    async with debugger("regression", (80, 24)) as shown:
        await run_line(shown, "s")
        shown.main.moment()
        shown.main.say(note="x" * 70 + " and the end of it")
        await shown.settled()
        assert shown.rows()[-2].endswith("all of it: M")
        await shown.press("M")
        assert isinstance(shown.app.screen, NotesScreen)
        assert "and the end of it" in shown.text()
        assert "#1  #1 i1:zero_grad" in shown.text()
        await shown.press("M")
        assert shown.app.screen is shown.main


async def test_a_note_shows_no_markup_and_no_escapes():
    async with debugger("regression", (80, 24)) as shown:
        shown.main.say(note="[red]no\x1b[2J")
        await shown.press("M")
        assert "[red]no\\x1b[2J" in shown.text()


async def test_before_anything_was_said():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("M")
        assert "nothing yet" in shown.text()


async def test_the_end_of_a_long_run_is_a_moment_of_its_own(monkeypatch):
    monkeypatch.setattr("tui.control.worker.INLINE_SECONDS", -1.0)  # all of it in a thread
    async with debugger("regression") as shown:
        shown.main.say(note="what a key said")
        await run_line(shown, "c")
        assert note(shown) not in ("", "what a key said")
        assert "what a key said" not in note(shown)
