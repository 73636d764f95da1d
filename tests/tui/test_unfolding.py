"""Lines unfold and fold on the screen, and an evaluation stands over the run."""

from engine.run.position_text import format_position
from tests.tui.line_experiments import GATED, program_of
from tests.tui.screen import Opened, debugger


def ops(shown: Opened) -> list[str]:
    """The names of the ops of forward."""
    program = shown.app.session.program
    return [op.name for op in program.ops if op.phase.value == "forward"]


async def test_enter_unfolds_the_line_of_an_op_and_folds_it_again() -> None:
    async with debugger(program_of(GATED)) as shown:
        await shown.press("n", "s")  # before c[0]
        place = format_position(shown.app.session.run, shown.app.session.event)
        folded = ops(shown)
        await shown.press("1", "enter")
        await shown.until(lambda: len(ops(shown)) > len(folded))
        await shown.settled()
        assert "c[0].matmul1" in ops(shown)
        await shown.press("1", "enter")
        await shown.until(lambda: ops(shown) == folded)
        await shown.settled()
        assert format_position(shown.app.session.run, shown.app.session.event) == place


async def test_an_evaluation_opens_over_the_run_and_leads_back() -> None:
    async with debugger(program_of(GATED)) as shown:
        await shown.press("f", "s")
        run = shown.app.session
        event, weights = run.event, run.tensors["Wx"]
        await shown.press("colon", *"eval", "enter")
        await shown.until(lambda: shown.app.session is not run)
        await shown.settled()
        assert {op.phase.value for op in shown.app.session.program.ops} == {"forward", "loss"}
        assert shown.app.session.tensors["Wx"] is weights
        await shown.press("f")
        await shown.press("colon", *"leave", "enter")
        await shown.until(lambda: shown.app.session is run)
        await shown.settled()
        assert run.event == event
        await shown.press("s")
        assert run.event == event + 1


async def test_nothing_is_unfolded_while_a_recording_is_written(tmp_path) -> None:
    async with debugger(program_of(GATED)) as shown:
        shown.app.main.parts.recording.start(tmp_path / "run.gradstep")
        await shown.press("colon", *"unfold all", "enter")
        await shown.settled()
        assert not [name for name in ops(shown) if "matmul" in name]
        assert "a recording is being written" in shown.app.main.view.note
