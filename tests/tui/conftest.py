"""What the tests of the screen have in common."""

import pytest


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with all colours, whatever the tests are run in; a test may ask for another."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(autouse=True)
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is answered for at last, however much else the machine has to do."""
    monkeypatch.setattr("tui.app.PATIENCE", 600.0)


@pytest.fixture(autouse=True)
def nobodys_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No settings and nothing saved but what the test itself has saved."""
    monkeypatch.setenv("GRADSTEP_HOME", str(tmp_path_factory.mktemp("home")))
