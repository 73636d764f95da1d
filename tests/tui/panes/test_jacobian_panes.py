"""The Jacobian and Chain panes: every built-in, both layouts, one sample and the batch."""

import math

import numpy as np
import pytest

from engine.chain.query import complete_at, query
from engine.debugger import Debugger
from engine.experiment.builtins import builtin_names
from engine.jacobian.operator import Layout
from engine.session.session import Session
from tests.engine.small_experiments import built_in
from tests.tui.lines import text_of
from tests.tui.screen import debugger
from tui.panes.tensor import TensorPane
from tui.render.chain import chain_text
from tui.render.chain_numbers import Room
from tui.render.jacobian import jacobian_head, matrix_of
from tui.view.derivative import Derivative
from tui.view.display import TensorDisplay
from tui.view.snapshot import Selection, snapshot


def words(lines: list[list[tuple[str, str]]]) -> str:
    return "\n".join(text_of(line) for line in lines)


@pytest.mark.parametrize("name", builtin_names())
@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("sample", [0, None])
def test_the_derivative_by_every_parameter(name: str, layout: Layout, sample: int | None) -> None:
    program = built_in(name)
    session = Session(program)
    session.goto(complete_at(program))
    for info in program.parameters:
        selection = Selection(tensor=info.name, derivative=Derivative(sample=sample, layout=layout))
        view = snapshot(Debugger(session), selection)
        assert (view.of, view.wrt) == ("loss", info.name)
        assert "conforms ✓" in words(chain_text(view, Room(118, 30, (118, 30))).lines)
        assert f"∂ℓ/∂{info.symbol}" in words(jacobian_head(view, 118))
        matrix = matrix_of(view)
        shape = info.shape if len(info.shape) == 2 else (math.prod(info.shape), 1)
        assert matrix.shape == (shape[::-1] if layout == Layout.NUMERATOR else shape)
        assert len(matrix.window(range(5), range(5)).cells) == min(5, matrix.shape[0])


@pytest.mark.parametrize("name", ["deep-sigmoid", "iris"])
async def test_the_panes_open_with_their_keys(name: str) -> None:
    program = built_in(name)
    async with debugger(program) as opened:
        opened.main.parts.movement.go_to(complete_at(program))
        await opened.idle()
        opened.main.parts.follow.tensor("linear1.weight")
        for key in ("4", "l", "v", "l", "v"):
            await opened.press(key)
            assert "conforms ✓" in opened.text()
        await opened.press("3")
        assert "∂ℓ/∂W⁽¹⁾" in opened.text()


async def test_the_pane_shows_the_numbers_that_backward_adds() -> None:
    async with debugger("regression") as opened:
        opened.main.parts.movement.go_to(complete_at(opened.session.program))
        await opened.idle()
        opened.main.parts.follow.tensor("linear1.weight")
        await opened.press("3", "v", "l")
        gradient = opened.session.tensors["linear1.weight.grad"]
        window = matrix_of(opened.main.snapshot()).window(range(4), range(3))
        shown = np.array([[float(cell.text) for cell in row] for row in window.cells])
        assert np.allclose(shown, gradient, atol=5e-5)
        assert f"{gradient[1, 2]:.4f}" in opened.text()


async def test_numerator_and_denominator_are_picked_with_keys() -> None:
    async with debugger("regression") as opened:
        opened.main.parts.movement.go_to(complete_at(opened.session.program))
        await opened.idle()
        opened.main.parts.follow.tensor("relu1.out")
        await opened.press("y")
        opened.main.parts.follow.tensor("x")
        await opened.press("x", "3")
        view = opened.main.snapshot()
        assert (view.of, view.wrt) == ("relu1.out", "x")
        found = query(opened.session, "relu1.out", "x")
        assert f"{found.dims[0]}×{found.dims[1]} (h×n)" in opened.text()
        await opened.press("full_stop")
        assert opened.main.snapshot().derivative.of is None


def jacobian(of: str, wrt: str, **derivative: object) -> str:
    program = built_in("regression")
    session = Session(program)
    session.goto(complete_at(program))
    view = snapshot(
        Debugger(session),
        Selection(tensor=wrt, derivative=Derivative(of=of, wrt=wrt, **derivative)),
    )
    return words(jacobian_head(view, 118))


def test_one_factor_has_its_rule_and_several_are_a_product() -> None:
    assert "\n W⁽¹⁾ " in jacobian("linear1.out", "x")
    assert "\n W⁽²⁾ " in jacobian("linear2.out", "relu1.out")
    assert "\n I " in jacobian("relu1.out", "relu1.out")
    assert "one factor: the loss by its target" in jacobian("loss", "y")
    assert "a product of 2 factors: see Chain" in jacobian("relu1.out", "x")
    for sample in (0, None):
        for of, wrt in (("linear1.out", "x"), ("loss", "y"), ("loss", "identity1.out")):
            assert "of 1 factor" not in jacobian(of, wrt, sample=sample)


def test_sizes_are_well_put_in_both_layouts_and_in_a_batch() -> None:
    weight = ("loss", "linear1.weight")
    assert "3×4 (n×h), as one row 1×12 " in jacobian(*weight, sample=None)
    gradient = jacobian(*weight, sample=None, layout=Layout.GRADIENT)
    assert "4×3 (h×n), as one column 12×1 " in gradient
    assert "16×12 (Nh×hn) " in jacobian("linear1.out", "linear1.weight", sample=None)
    assert " ," not in gradient


def test_one_entry_is_singular() -> None:
    assert "1 non-zero of 1 " in jacobian("loss", "loss")
    assert "2 non-zeros of 2 " in jacobian("loss", "identity1.out")


async def test_the_grid_has_number_formats_of_its_own() -> None:
    async with debugger("regression") as opened:
        opened.main.parts.movement.go_to(complete_at(opened.session.program))
        await opened.idle()
        opened.main.parts.follow.tensor("linear1.weight")
        gradient = opened.session.tensors["linear1.weight.grad"]
        await opened.press("3", "v", "l", "plus", "plus")
        assert f" {gradient[1, 2]:.6f} " in opened.text()
        await opened.press("number_sign")
        assert f" {gradient[1, 2]:.6e} " in opened.text()
        await opened.press("dollar_sign", "minus")
        assert f" {gradient[1, 2]:.5f} " in opened.text()
        assert opened.main.query_one(TensorPane).form == TensorDisplay()


async def test_what_cannot_be_picked_is_said() -> None:
    async with debugger("regression") as opened:
        opened.main.parts.follow.tensor("linear1.weight")
        await opened.press("y")
        assert "only activations and the loss have derivatives" in opened.text()
        opened.main.parts.follow.tensor("optimizer.lr")
        await opened.press("x")
        assert "nothing in forward depends on this tensor" in opened.text()


async def test_values_that_are_not_there_yet_leave_the_sizes() -> None:
    async with debugger("regression") as opened:
        opened.main.parts.follow.tensor("linear1.weight")
        await opened.press("3")
        assert "3×4 (n×h)" in opened.text()
        assert "not computed yet" in opened.text()


async def test_keys_step_along_the_factors() -> None:
    async with debugger("deep-relu", size=(80, 24)) as opened:
        opened.main.parts.movement.go_to(complete_at(opened.session.program))
        await opened.idle()
        opened.main.parts.follow.tensor("linear1.weight")
        await opened.press("4")
        for _ in range(8):
            await opened.press("down")
        assert opened.main.snapshot().derivative.factor == 8
        assert any("▶ ∂z₁₃/∂z₁₂" in row for row in opened.rows())


async def test_samples_are_chosen_and_end_at_the_batch() -> None:
    async with debugger("regression") as opened:
        opened.main.parts.movement.go_to(complete_at(opened.session.program))
        await opened.idle()
        await opened.press("4", *["greater_than_sign"] * 6)
        assert opened.main.snapshot().primals.sample == 3
        await opened.press(*["less_than_sign"] * 6)
        assert opened.main.snapshot().primals.sample == 0
