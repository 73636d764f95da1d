"""The screen on the recording of a captured script: stepped, its source, what was not kept."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.capture.captured import CapturedRun
from engine.capture.opened import debugger_of, opened_capture
from engine.capture.sink import Stream
from engine.run.phases import Phase
from tests.engine.capture.told import HELLO, Net, Teller, writer_at
from tests.tui.screen import steered
from tests.tui.typist import run_line
from tui.app import GradstepApp

SCRIPT = [f"line {number}" for number in range(1, 20)]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[CapturedRun]:
    """Four iterations of a net, of which tensors of up to fifteen elements are kept whole."""
    (tmp_path / "train.py").write_text("\n".join(SCRIPT), encoding="utf-8")
    names = HELLO.__slots__
    fields = {name: getattr(HELLO, name) for name in names} | {"cwd": str(tmp_path)}
    teller = Teller(writer_at(tmp_path / "r.gradstep"), HELLO.__class__(**fields), limit=15)
    net = Net(teller)
    for k in range(4):
        net.iterate()
        teller.writer.text(Stream.STDOUT, f"epoch {k}\n")
    large = np.ones((30, 40), np.float32)
    number = teller.tensor("big", "activation", large)
    teller.happen(Phase.FORWARD, "big", "neg", {}, {"big": (number, large)}, 18)
    teller.later(teller.events - 1, 0, large)
    teller.happen(Phase.FORWARD, "big", "neg", {}, {"big": (number, large * 2)}, 18)
    teller.end()
    with opened_capture(str(tmp_path / "r.gradstep")) as found:
        yield found


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_stepping_and_going(run: CapturedRun, size: tuple[int, int]) -> None:
    async with steered(GradstepApp(debugger_of(run)), size) as shown:
        await shown.press(*"ssnnfSSNF")
        await run_line(shown, "goto i3:backward:fc1.weight")
        assert "#44" in shown.place()
        assert "iter 3/5" in shown.place()
        await shown.press("s")
        assert "fc1.weight.grad" in shown.text()
        await shown.press("G", "S", "g")
        assert shown.session.event == 0


async def test_what_was_sampled_says_so(run: CapturedRun) -> None:
    async with steered(GradstepApp(debugger_of(run)), (120, 40)) as shown:
        await shown.press("s")
        text = shown.text()
        assert "h  (5, 4)" in text
        assert "≈ min" in text
        assert "· nowhere whole · mean" in text
        assert "≈-" in text  # in the list of variables, its range


async def test_the_nearest_whole_value_is_told(run: CapturedRun) -> None:
    async with steered(GradstepApp(debugger_of(run)), (120, 40)) as shown:
        await run_line(shown, "goto end")
        assert "whole: goto #69" in shown.text()
        await run_line(shown, "goto #69")
        assert "(30, 40)" in shown.text()
        assert "all 1" in shown.text()
        assert "whole: goto" not in shown.text()


async def test_the_source_is_a_program_pane(run: CapturedRun) -> None:
    async with steered(GradstepApp(debugger_of(run)), (120, 40)) as shown:
        await shown.press("o")
        assert "▶  11 line 11" in shown.text()
        await shown.press("s", "s")
        text = shown.text()
        assert "▶  13 line 13" in text
        assert "✓  11 line 11" in text
        await run_line(shown, "b train.py:16", "c")
        text = shown.text()
        assert "●▶  16 line 16" in text
        await shown.press("o")
        assert "h = linear" in shown.text() or "fc1: linear" in shown.text()


async def test_what_the_script_printed_scrolls_with_the_cursor(run: CapturedRun) -> None:
    async with steered(GradstepApp(debugger_of(run)), (120, 40)) as shown:
        await shown.press("7")
        assert "epoch 0" not in shown.text()
        await run_line(shown, "goto i3")
        text = shown.text()
        assert "│ epoch 0" in text
        assert "│ epoch 1" in text
        assert "epoch 2" not in text
        await run_line(shown, "goto i1")
        assert "epoch 0" not in shown.text()


async def test_changing_anything_is_refused_with_the_reason(run: CapturedRun) -> None:
    async with steered(GradstepApp(debugger_of(run)), (200, 60)) as shown:
        for line in ("set fc1.bias = 1", "skip update", "branch other"):
            await run_line(shown, line)
            assert "this is what a script did: it can be looked at" in shown.text()


async def test_an_op_that_wrote_nothing(tmp_path: Path) -> None:
    """It raised: its operands and their shapes are there to be seen."""
    teller = Teller(writer_at(tmp_path / "r.gradstep"))
    net = Net(teller)
    net.iterate()
    ids = {"x": teller.tensor("x", "input", np.ones((5, 4), np.float32))}
    facts = {"raised": "RuntimeError", "text": "shapes"}
    teller.happen(Phase.FORWARD, "h", "linear", ids, {}, 11, facts)
    teller.end(1)
    with opened_capture(str(tmp_path / "r.gradstep")) as run:
        app = GradstepApp(debugger_of(run))
        async with steered(app, (120, 40)) as shown:
            await shown.press("G")
            assert "RuntimeError here" in shown.text()
            await shown.press("S")
            text = shown.text()
            assert "RuntimeError next" in text
            assert "▶ linear(x (5, 4))" in text
            await shown.press("1", "up", "down", "enter", "S", "g")
            await run_line(shown, "/linear")


async def test_curves_over_the_run(run: CapturedRun) -> None:
    async with steered(GradstepApp(debugger_of(run)), (120, 40)) as shown:
        await run_line(shown, "goto i4")
        await shown.press("p")
        text = shown.text()
        assert "loss" in text
        assert "‖∂ℓ/∂fc1.weight‖" in text
        await shown.press("2", "S", "s", "r")
        assert "this run was captured" in shown.text()
        await shown.press("escape")
        assert "Program" in shown.text()


async def test_an_expression_of_what_was_not_kept_says_so(run: CapturedRun) -> None:
    async with steered(GradstepApp(debugger_of(run)), (200, 60)) as shown:
        await run_line(shown, "goto i2", "p max(h)")
        assert "h was not kept in full (statistics and a sample)" in shown.text()
        await run_line(shown, "display sum(big)", "goto end")
        await shown.press("6")
        assert "big was not kept in full" in shown.text()
        assert "the whole of it: goto #69" in shown.text()
