"""The panes about derivatives, layers and findings on a captured script."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.capture.captured import CapturedRun
from engine.capture.opened import debugger_of, opened_capture
from engine.capture.paths import jacobian
from engine.diagnostics.capture_doctor import CaptureDoctor
from tests.engine.capture.told import trained
from tests.tui.screen import Opened, steered
from tests.tui.typist import run_line
from tui.app import GradstepApp
from tui.render.text.numbers import compact


@pytest.fixture
def run(tmp_path: Path) -> Iterator[CapturedRun]:
    """A net that forgets zero_grad, everything of it kept whole."""
    trained(tmp_path / "r.gradstep", 12, lr=0.001, forgets=True)
    with opened_capture(str(tmp_path / "r.gradstep")) as found:
        yield found


async def until(shown: Opened, text: str) -> None:
    """Wait until a text is on the screen."""
    for _ in range(400):
        if text in shown.text():
            return
        await shown.pilot.pause(0.005)
    raise AssertionError(shown.text())


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_jacobian_is_what_the_command_says(
    run: CapturedRun, size: tuple[int, int]
) -> None:
    async with steered(GradstepApp(debugger_of(run)), size) as shown:
        await run_line(shown, "goto i2:forward:z")
        await shown.press("s", "3")
        text = shown.text()
        assert "∂z/∂a  2×4" in text  # one sample
        assert "Kronecker: I ⊗ W" in text
        found = jacobian(run, 1, "z", "a")
        assert found.numbers is not None
        row = found.numbers.window(range(1), range(4))[0]
        assert all(f"{value:.4f}" in text for value in row)
        await shown.press("v")
        assert "∂z/∂a  10×20" in shown.text()
        await shown.press("l")
        assert "(∂z/∂a)ᵀ  20×10" in shown.text()


async def test_another_sample(run: CapturedRun) -> None:
    async with steered(GradstepApp(debugger_of(run)), (120, 40)) as shown:
        await shown.press("s", "s", "s", "3", "greater_than_sign", "greater_than_sign")
        assert "sample 2 of 5" in shown.text()
        await shown.press(*["greater_than_sign"] * 3)
        assert "sample 4 is the last of the batch" in shown.text()


async def test_the_gradient_that_backward_left(run: CapturedRun) -> None:
    async with steered(GradstepApp(debugger_of(run)), (120, 40)) as shown:
        await run_line(shown, "goto i1:backward:fc1.weight")
        await shown.press("s", "3")
        text = shown.text()
        assert "∂loss/∂fc1.weight  4×3, as one row 1×12" in text
        assert "the gradient that backward has left" in text
        array = run.places.at(run.places.locate(shown.session.event, "fc1.weight.grad"))
        assert f"{array[3, 2]:.4f}" in text


async def test_the_chain_and_its_factors(run: CapturedRun) -> None:
    async with steered(GradstepApp(debugger_of(run)), (120, 40)) as shown:
        await run_line(shown, "goto i1:backward:fc1.weight")
        await shown.press("s", "4")
        text = shown.text()
        assert "conforms ✓" in text
        assert "loss ← z" in text
        assert "h ← fc1.weight" in text
        await shown.press("down", "down")
        assert "a = relu(h)" in shown.text()
        await run_line(shown, "goto i1")
        await shown.press("s", "x")
        assert "denominator: h" in shown.text()


async def test_what_is_not_kept_says_so_in_the_jacobian(tmp_path: Path) -> None:
    trained(tmp_path / "r.gradstep", 3, limit=3)
    with opened_capture(str(tmp_path / "r.gradstep")) as run:
        async with steered(GradstepApp(debugger_of(run)), (120, 40)) as shown:
            await shown.press("s", "s", "s", "3")
            text = shown.text()
            assert "∂z/∂a  2×4" in text
            assert "dimensions only" in text
            assert "was not kept in full" in text


async def test_the_flow_has_what_was_told(run: CapturedRun) -> None:
    async with steered(GradstepApp(debugger_of(run)), (120, 40)) as shown:
        await run_line(shown, "goto i3")
        await shown.press("9")
        await until(shown, "the last 2 iterations")
        told = run.stored.told(1, run.places.layout_starts(1)[0], run.timeline.begin(1))
        assert told.statistics is not None
        line = next(row for row in shown.rows() if "││ h  " in row)
        assert compact(told.statistics.mean, 6).strip() in line
        await shown.press("down", "down", "down", "down", "L")
        assert "is not known of a captured script" in shown.text()


async def test_the_flow_has_updates(run: CapturedRun) -> None:
    async with steered(GradstepApp(debugger_of(run)), (120, 40)) as shown:
        await run_line(shown, "goto i3")
        old, new = (run.places.at(run.places.before(i)["fc1.weight"]) for i in (1, 2))
        ratio = np.linalg.norm(new - old) / np.linalg.norm(old)
        await shown.press("9")
        await until(shown, "fc1.weight")
        await until(shown, compact(float(ratio), 6).strip())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_doctor_says_what_diagnose_says(run: CapturedRun, size: tuple[int, int]) -> None:
    async with steered(GradstepApp(debugger_of(run)), size) as shown:
        await shown.press("0")
        await until(shown, "all 12 iterations were looked through")
        assert "gradients pile up" in shown.text()
        doctor = CaptureDoctor(run)
        assert [*doctor.run(12)][-1] == 12
        (found,) = doctor.findings()
        await shown.press("enter")
        assert shown.session.event == found.cursor
        assert "cannot tell from a capture" in shown.text()
