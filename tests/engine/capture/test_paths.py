"""Jacobians of captured iterations: dimensions, structure, and chains folded where paths meet."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from engine.capture.graph import graph_of
from engine.capture.opened import opened_capture
from engine.capture.paths import Jacobian, jacobian
from engine.errors import GradstepError
from engine.run.phases import Phase
from tests.engine.capture.told import Teller, trained, writer_at


def found(path: Path, of: str, wrt: str, iteration: int = 0) -> Jacobian:
    with opened_capture(str(path)) as run:
        return jacobian(run, iteration, of, wrt)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("net") / "net.gradstep"
    trained(path, 2)
    return path


def conforms(view: Jacobian) -> None:
    """The dimensions of neighbours go together, and the ends are those of the whole."""
    dims = [factor.dims for factor in view.chain]
    assert all(a[1] == b[0] for a, b in pairwise(dims))
    assert (dims[0][0], dims[-1][1]) == view.dims


def test_a_loss_by_a_weight(net: Path) -> None:
    view = found(net, "loss", "fc1.weight")
    conforms(view)
    assert view.dims == (1, 12)
    assert [(one.name, one.dims, one.structure) for one in view.chain] == [
        ("∂loss/∂z", (1, 10), "one row"),
        ("∂z/∂a", (10, 20), "Kronecker: I ⊗ W"),
        ("∂a/∂h", (20, 20), "diagonal"),
        ("∂h/∂fc1.weight", (20, 12), "Kronecker: x ⊗ I"),
    ]
    assert view.structure == "one row"


def test_its_values_are_the_gradient_that_backward_left(net: Path) -> None:
    with opened_capture(str(net)) as run:
        view = jacobian(run, 1, "loss", "fc1.weight")
        event = run.timeline.next(
            run.timeline.begin(1), writes="fc1.weight.grad", phase=Phase.BACKWARD
        )
        assert event is not None
        expected = run.places.at(run.places.locate(event + 1, "fc1.weight.grad"))
    assert view.values is not None
    assert np.array_equal(view.values, expected)
    assert view.as_json()["window"]["cols"] == [0, 8]


def test_a_gradient_with_more_in_it_is_no_jacobian(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    trained(path, 3, forgets=True)
    with opened_capture(str(path)) as run:
        view = jacobian(run, 2, "loss", "fc1.weight")
        before, after = (
            run.places.at(run.places.locate(run.timeline.begin(i), "fc1.weight.grad"))
            for i in (2, 3)
        )
    assert view.values is None
    assert view.numbers is not None  # from stored operands: what this pass has added
    assert before is not None
    assert after is not None
    np.testing.assert_allclose(
        view.numbers.window(range(1), range(12))[0], (after - before).reshape(-1), atol=1e-5
    )


def test_samples(net: Path) -> None:
    view = found(net, "z", "x")
    assert (view.dims, view.sample_dims) == ((10, 15), (2, 3))
    assert found(net, "z", "fc1.weight").sample_dims == (2, 12)
    assert found(net, "a", "h").structure == "diagonal"


def test_what_modules_read_and_write(net: Path) -> None:
    assert found(net, "fc2.out", "fc2.in").dims == (10, 20)


def test_nothing_leads_backwards(net: Path) -> None:
    for of, wrt, said in (
        ("x", "loss", "nothing leads from loss to x"),
        ("h", "h", "nothing leads"),
        ("hh", "x", r"no tensor 'hh' in iteration 1 \(did you mean h"),
    ):
        with pytest.raises(GradstepError, match=said):
            found(net, of, wrt)


def residual(path: Path) -> None:
    """x → block → block, each y + relu(linear(y)), and a branch that leads nowhere."""
    teller = Teller(writer_at(path))
    x = np.ones((3, 4), np.float32)
    teller.given("x", "input", x)
    weight = np.ones((4, 4), np.float32)
    teller.given("w", "parameter", weight)
    ids = {"x": teller.tensor("x", "input", x), "w": teller.tensor("w", "parameter", weight)}

    def op(name: str, kind: str, reads: list[str], module: str | None = None) -> None:
        ids[name] = teller.tensor(name, "activation", x)
        names = {one: ids[one] for one in reads}
        teller.happen(Phase.FORWARD, name, kind, names, {name: (ids[name], x)}, 3, module=module)

    last = "x"
    for k in (1, 2):
        op(f"lin{k}", "linear", [last, "w"], f"layer.{k}")
        op(f"act{k}", "relu", [f"lin{k}"], f"layer.{k}")
        op(f"y{k}", "add", [last, f"act{k}"], f"layer.{k}")
        last = f"y{k}"
    op("aside", "tanh", ["y1"])
    teller.end_iteration()
    teller.end()


def test_paths_are_folded_where_they_meet(tmp_path: Path) -> None:
    residual(tmp_path / "r")
    view = found(tmp_path / "r", "y2", "x")
    conforms(view)
    assert [(one.name, one.structure, one.paths) for one in view.chain] == [
        ("∂y2/∂y1", "2 paths", 2),
        ("∂y1/∂x", "2 paths", 2),
    ]
    assert [text.partition(" = ")[0] for text in view.chain[0].ops] == ["lin2", "act2", "y2"]
    assert found(tmp_path / "r", "layer.1.out", "layer.1.in").chain[0].paths == 2
    # A shared weight is read in both blocks: all paths meet only at the ends.
    shared = found(tmp_path / "r", "y2", "w")
    assert [(one.name, one.paths) for one in shared.chain] == [("∂y2/∂w", 3)]
    assert math.prod(shared.dims) == 12 * 16


def test_a_tensor_written_in_place_is_another_version(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    x = np.ones((3, 4), np.float32)
    h = teller.tensor("h", "activation", x)
    xi = teller.tensor("x", "input", x)
    teller.happen(Phase.FORWARD, "h", "exp", {"x": xi}, {"h": (h, x)}, 3)
    teller.happen(Phase.FORWARD, "h#2", "relu_", {"h": h}, {"h": (h, x)}, 4)
    z = teller.tensor("z", "activation", x)
    teller.happen(Phase.FORWARD, "z", "tanh", {"h": h}, {"z": (z, x)}, 5)
    teller.end_iteration()
    teller.end()
    view = found(path, "z", "x")
    assert [one.structure for one in view.chain] == ["diagonal"] * 3
    assert view.structure == "diagonal"


def test_a_graph_is_shared_and_grows_with_its_iteration(tmp_path: Path) -> None:
    trained(tmp_path / "r", 3)
    with opened_capture(str(tmp_path / "r")) as run:
        assert graph_of(run, 1) is graph_of(run, 2)
        graph = graph_of(run, 1)
        graph.numbers = graph.numbers[:2]  # as it was when less had come
        assert graph_of(run, 1) is not graph
        assert jacobian(run, 1, "loss", "h").dims == (1, 20)
