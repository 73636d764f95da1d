"""The watches pane: value, value before, mark, spark; only what is seen is evaluated."""

import itertools

import pytest

from engine.stops import watch_values
from tests.tui.screen import Opened, debugger
from tests.tui.typist import answer, note, run_line


def line_of(shown: Opened, source: str) -> str:
    row = next(row for row in shown.rows() if source in row and "│" in row)
    return row.split(source, 1)[0].rsplit("│", 1)[1] + source + row.split(source, 1)[1]


async def watching(shown: Opened, *sources: str) -> None:
    for source in sources:
        shown.debugger.watches.add(source)
    shown.main.parts.panes.go_to("watches")
    shown.main.show_now()
    await shown.settled()


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_value_the_one_before_and_the_past(size):
    async with debugger("regression", size) as shown:
        await watching(shown, "linear2.bias[0]", "loss", "norm(x)")
        assert "not computed yet" in line_of(shown, "loss =")
        before = float(shown.session.tensors["linear2.bias"][0])
        event = next(op.index for op in shown.session.program.ops if op.formula.startswith("b⁽²⁾"))
        shown.session.goto(event)
        shown.main.show_now()
        await shown.press("s")
        after = float(shown.session.tensors["linear2.bias"][0])
        line = line_of(shown, "linear2.bias[0] =")
        assert line.startswith("▸"), "changed by the last op"
        assert f"{after:.4g}"[:5] in line
        assert f"was {before:.4g}"[:8] in line
        assert not line_of(shown, "loss =").startswith("▸")
        assert any(block in line for block in "▁▂▃▄▅▆▇█"), "its past as a spark"
        await shown.press("s")
        assert not line_of(shown, "linear2.bias[0] =").startswith("▸")
        assert "was" not in line_of(shown, "linear2.bias[0] =")


async def test_a_watch_is_added_with_its_errors_and_removed_in_the_pane():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("w")
        assert shown.main.prompt.field.value == "x", "the selected tensor is offered"
        await answer(shown, "norm(linear1.wight)")
        assert "did you mean linear1.weight" in note(shown)
        for source in ("norm(x)", "loss"):
            await shown.press("w")
            await answer(shown, source)
        assert note(shown) == "watched: loss; 6 shows its values"
        await shown.press("6", "D")
        assert list(shown.debugger.watches) == ["loss"]
        assert note(shown) == "no longer watched: norm(x)"
        await shown.press("delete")
        assert list(shown.debugger.watches) == []
        await shown.press("delete")
        assert note(shown).startswith("nothing is watched")
        assert "nothing is watched: w watches an expression" in shown.text()


async def test_the_cursor_stays_on_a_line_when_the_last_watch_goes():
    async with debugger("regression", (80, 24)) as shown:
        await watching(shown, "loss", "norm(x)", "max(y)")
        await shown.press("end", "D", "D")
        assert list(shown.debugger.watches) == ["loss"]


async def test_d_is_the_inner_level_elsewhere():
    async with debugger("regression", (80, 24)) as shown:
        await watching(shown, "loss")
        await shown.press("1", "u", "d")
        assert list(shown.debugger.watches) == ["loss"]


async def test_only_what_is_seen_is_evaluated_and_once(monkeypatch):
    asked: list[str] = []
    value = watch_values.watch_value

    def counted(place, source, expression, seconds):
        asked.append(source)
        return value(place, source, expression, 1e9)

    monkeypatch.setattr(watch_values, "watch_value", counted)
    async with debugger("regression", (80, 24)) as shown:
        for number in range(300):
            shown.debugger.watches.add(f"loss + {number}")
        await shown.press("s")
        assert asked == [], "the pane is not on the screen"
        await shown.press("6")
        assert 0 < len(set(asked)) <= 24
        asked.clear()
        await shown.press("f")
        assert 0 < len(asked) <= 24
        assert len(asked) == len(set(asked)), "once for each"


async def test_an_error_stands_in_the_line():
    async with debugger("regression", (80, 24)) as shown:
        await watching(shown, "linear1.weight[event + 9]", "1 / 0")
        for source in shown.debugger.watches:
            assert line_of(shown, source).count("Traceback") == 0
        assert shown.app.is_running
        await shown.press("s", "f")
        assert shown.app.is_running


async def test_what_the_command_line_watches_is_here_too():
    async with debugger("regression", (80, 24)) as shown:
        await run_line(shown, "display sum(y)", "undisplay sum(y)", "display mean(y)")
        assert list(shown.debugger.watches) == ["mean(y)"]
        await shown.press("6")
        assert "mean(y) = 0.5" in shown.text()


async def test_slow_watches_do_not_keep_the_screen_waiting(monkeypatch):
    """What does not fit into the time of one View is not evaluated there; p does it."""
    monkeypatch.setattr("tui.view.snapshot.WATCHING", 0.0)
    async with debugger("regression", (120, 40)) as shown:
        await watching(shown, "sum(x)")
        await shown.press("s")
        assert "p sum(x) evaluates it" in line_of(shown, "sum(x)")


async def test_a_watch_that_takes_longer_says_so(monkeypatch):
    ticks = itertools.count()

    def clock():
        return next(ticks) * 0.015

    async with debugger("digits", (120, 40)) as shown:
        slow = "+".join(["sum(linear1.weight @ transpose(linear1.weight))"] * 9)
        await watching(shown, slow)
        monkeypatch.setattr("engine.expressions.values.clock", clock)
        await shown.press("s")
        view = shown.app.main.view
        assert view is not None
        value, past = view.watched(slow)
        assert value.error is not None
        assert "takes longer than" in value.error
        assert past == []


async def test_watchpoints_stand_below_the_watches_and_are_removed_there():
    async with debugger("regression", (120, 40)) as shown:
        await watching(shown, "norm(x)")
        await run_line(shown, "watch linear2.bias[0]")
        await run_line(shown, "watch any nan")
        await run_line(shown, "break loss")
        await shown.press("6")
        text = shown.text()
        value = float(shown.session.tensors["linear2.bias"][0])
        assert f"● 1  watch linear2.bias[0] = {value:g}" in text
        assert "● 2  watch any nan" in text
        assert "break loss" not in text, "a breakpoint watches nothing"
        await shown.press("down", "delete")
        assert "● 1  watch" not in shown.text()
        assert [str(stop) for stop in shown.debugger.stops] == ["watch any nan", "break loss"]
