"""A trace in a process of its own against PyTorch on the same weights and batches."""

import pytest

from tests.tui.cli.shell import lines, shell

ITERATIONS = 7  # more than two epochs
TOLERANCE = {"rtol": 0, "atol": 1e-12}
torch = pytest.importorskip("torch", reason="PyTorch is the second opinion")


@pytest.fixture(scope="module")
def trace():
    done = shell("trace", "regression", "--values", "--json", "--iterations", ITERATIONS)
    assert done.returncode == 0, done.stderr
    header, *events = lines(done.stdout)
    iterations = [[e for e in events if e["iteration"] == i + 1] for i in range(ITERATIONS)]
    return header, iterations


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def network(header):
    """The homework's network with the parameters of the header, keyed by their names here."""
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2), torch.nn.Identity()
    ).double()
    named = dict(zip((p["name"] for p in header["parameters"]), model.parameters(), strict=True))
    for parameter in header["parameters"]:
        named[parameter["name"]].data = tensor(parameter["value"])
    return model, named


def written(events, phase):
    return {
        w["name"]: tensor(w["after"]) for e in events if e["phase"] == phase for w in e["writes"]
    }


def test_every_loss_gradient_and_update(trace):
    header, iterations = trace
    model, named = network(header)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for events in iterations:
        batch = events[0]["batch"]
        optimizer.zero_grad()
        yhat = model(tensor(batch["x"]))
        loss = torch.nn.functional.mse_loss(yhat, tensor(batch["y"]), reduction="sum")
        loss.backward()
        gradients, updated = written(events, "backward"), written(events, "update")
        torch.testing.assert_close(written(events, "loss")["loss"], loss.detach(), **TOLERANCE)
        assert events[-1]["loss"] == pytest.approx(loss.item(), abs=1e-12)
        for name, parameter in named.items():
            torch.testing.assert_close(gradients[f"{name}.grad"], parameter.grad, **TOLERANCE)
        optimizer.step()
        assert set(updated) == set(named)
        for name, parameter in named.items():
            torch.testing.assert_close(updated[name], parameter.detach(), **TOLERANCE)
