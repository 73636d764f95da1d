"""The PyTorch loop that the program pane shows is real: run, it trains like the engine."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engine.experiment.builtins import builtin_names
from engine.experiment.reader import load_experiment
from engine.program.program import Program
from engine.pytorch.code import training_code
from engine.run.phases import Phase
from engine.session.session import Session
from tests.engine.small_experiments import built_in

ITERATIONS = 12


@pytest.mark.parametrize("name", builtin_names())
def test_every_built_in_has_valid_code_with_each_step_once(name: str) -> None:
    lines = training_code(built_in(name))
    compile("\n".join(line.text for line in lines) + "\n        pass\n", name, "exec")
    assert [line.phase for line in lines if line.phase] == list(
        load_experiment(name).training.order
    )
    assert {line.phase for line in lines if line.skipped} == set(
        load_experiment(name).training.skip
    )


# PyTorch's BCELoss raises on a NaN, which the engine carries on to the loss.
@pytest.mark.parametrize("name", [n for n in builtin_names() if n != "bug-missing-value"])
def test_the_code_trains_like_the_engine(name: str) -> None:
    torch = pytest.importorskip("torch", reason="the code is PyTorch's: install the torch extra")
    program = built_in(name)
    session = Session(program)
    session.goto(ITERATIONS * len(program.ops))
    expected = session.losses[:ITERATIONS]
    assert np.allclose(run(torch, program), expected, rtol=1e-5, atol=1e-9, equal_nan=True)


def run(torch: Any, program: Program) -> list[float]:
    """The losses of the first iterations of the code, from the engine's initial parameters."""
    losses: list[float] = []
    names = {"torch": torch, "nn": torch.nn, "OrderedDict": OrderedDict, "losses": losses}

    def batches(epoch: int) -> Iterator[tuple[Any, Any]]:
        for k in range(program.batches.count):
            if len(losses) == ITERATIONS:
                return
            x, y = program.batches.batch(program.data, epoch, k)
            yield torch.tensor(x), torch.tensor(y)

    lines = [line.text for line in training_code(program)]
    loop = next(i for i, line in enumerate(lines) if line.startswith("for epoch"))
    scope: dict[str, Any] = names | {"batches": batches}
    exec("\n".join(lines[:loop]), scope)
    initial = program.initial()
    state = {f"{name}": torch.tensor(initial[name]) for name, *_ in program.network.parameters()}
    scope["model"].load_state_dict(state)
    body = [*lines[loop:], "        losses.append(loss.item())"]
    exec("\n".join(body), scope)
    return losses


def test_a_skipped_step_is_a_comment() -> None:
    lines = training_code(built_in("bug-no-zero-grad"))
    (line,) = [line for line in lines if line.phase == Phase.ZERO_GRAD]
    assert line.text.strip() == "# optimizer.zero_grad()"
