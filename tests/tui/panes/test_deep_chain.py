"""Deep networks in the Chain and Jacobian panes: what is computed for a step is counted."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import engine.chain.chain
import engine.chain.flow
import tui.render.jacobian
from engine.chain.query import complete_at
from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.experiment.reader import read_experiment
from engine.jacobian.operator import Pattern
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.session.session import Session
from engine.worksheet.sample import Sample
from tests.engine.small_experiments import document, program
from tests.tui.lines import text_of
from tests.tui.screen import debugger
from tui.render.chain import chain_text
from tui.render.chain_numbers import Room
from tui.render.jacobian import derivative_of
from tui.view.derivative import Derivative
from tui.view.snapshot import Selection, View, snapshot

DEPTH = 60
ROOM = Room(79, 30, (117, 34))


def deep() -> Program:
    layers: list[dict[str, Any]] = [{"type": "linear", "out": 3}, {"type": "relu"}] * DEPTH
    return program(layers=[*layers, {"type": "linear", "out": 1}])


def seen(run: Program, wrt: str = "linear1.weight") -> View:
    session = Session(run)
    session.goto(complete_at(run))
    return snapshot(Debugger(session), Selection(derivative=Derivative(of="loss", wrt=wrt)))


class Counted:
    """A function, and how often it has been called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.calls = function, 0

    def __call__(self, *args: Any, **options: Any) -> Any:
        self.calls += 1
        return self.function(*args, **options)

    def __get__(self, owner: object, _: type) -> Callable[..., Any]:
        return partial(self, owner)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[object, str], Counted]:
    def count(owner: object, name: str) -> Counted:
        found = Counted(getattr(owner, name))
        monkeypatch.setattr(owner, name, found)
        return found

    return count


def test_a_product_of_many_equal_factors_folds_and_its_table_is_seen() -> None:
    text = chain_text(seen(deep()), ROOM)
    lines = [text_of(line).strip() for line in text.lines]
    assert any(f") × {DEPTH - 1}" in line for line in lines)
    assert any("(∂z₁₂₀/∂z₁₁₉ · W⁽⁶⁰⁾) × 59" in line for line in lines)
    heading = next(i for i, line in enumerate(lines) if line.startswith("factor"))
    assert heading < ROOM.height // 2
    assert len(text.places) == 2 * DEPTH + 2
    assert text_of(text.line(text.places[-1])).split()[0] == "∂z₁/∂W⁽¹⁾"


def test_the_products_so_far_are_not_multiplied_for_the_table(counted) -> None:
    products = counted(engine.chain.chain, "product")
    view = seen(deep())
    chain_text(view, ROOM)
    assert products.calls <= 2  # the whole, and that up to the chosen factor


def test_the_order_of_a_deep_chain_is_not_searched_for(counted) -> None:
    costs = counted(Pattern, "cost")
    chain_text(seen(deep()), ROOM)
    assert costs.calls < 20 * DEPTH


def test_no_value_is_computed_to_print_the_written_product(monkeypatch) -> None:
    def computed(self: Sample) -> dict[str, Any]:
        raise AssertionError("a formula was printed, and values were computed")

    monkeypatch.setattr(Sample, "columns", property(computed))
    text = chain_text(seen(deep()), ROOM)
    assert any("written out" in text_of(line) for line in text.lines)


async def test_the_derivative_is_asked_for_once_a_step(counted) -> None:
    async with debugger("regression") as shown:
        await shown.press("n", "n", "n", "3", "4", "escape")
        asked = counted(tui.render.jacobian, "query")
        for _ in range(3):
            before = asked.calls
            await shown.press("s")
            assert asked.calls == before + 1
        before = asked.calls
        shown.main.say(note="another note")
        await shown.settled()
        assert asked.calls == before


def test_an_error_is_not_looked_for_again(counted) -> None:
    asked = counted(tui.render.jacobian, "query")
    view = seen(deep(), wrt="relu1.mask")
    for _ in range(3):
        with pytest.raises(GradstepError, match="no tensor"):
            derivative_of(view)
    assert asked.calls == 1


LOOP = """
h[-1] = zeros(N, 2)
for t in range(30):
    h[t] = tanh(x @ Wx.T + h[t-1] @ Wh.T)
loss = mean((h[29] - y)**2)
"""


def loop() -> Program:
    raw = document(optimizer={"type": "sgd", "lr": 0.1})
    del raw["layers"], raw["loss"]
    raw["data"]["y"] = raw["data"]["x"]
    raw["parameters"] = {name: {"shape": [2, 2]} for name in ("Wx", "Wh")}
    raw["network"] = {"lines": LOOP}
    return compile_program(read_experiment(raw, "loop.toml"))


def test_a_step_finds_out_nothing_anew_about_lines(counted) -> None:
    run = loop()
    debug = Debugger(Session(run))
    debug.session.goto(complete_at(run))
    selection = Selection(derivative=Derivative(of="loss", wrt="Wh"))
    found = counted(engine.chain.flow, "dependence")
    first = [text_of(line) for line in chain_text(snapshot(debug, selection), ROOM).lines]
    assert found.calls > 0
    before = found.calls
    debug.session.goto(debug.session.event + len(run.ops))
    second = [text_of(line) for line in chain_text(snapshot(debug, selection), ROOM).lines]
    assert found.calls == before
    assert second[0] == first[0]
    assert second != first  # the numbers are those of another iteration
