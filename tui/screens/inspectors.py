"""The panes that share the place of the tensor pane: nobody sees them when the debugger opens."""

from textual.widget import Widget

from tui.widgets.chain import ChainPane
from tui.widgets.console import ConsolePane
from tui.widgets.diagnostics import DiagnosticsPane
from tui.widgets.flow import FlowPane
from tui.widgets.jacobian import JacobianPane
from tui.widgets.watches import WatchesPane


def inspectors() -> list[Widget]:
    """The panes behind the tensor pane."""
    return [
        JacobianPane(id="jacobian", classes="pane"),
        ChainPane(id="chain", classes="pane"),
        WatchesPane(id="watches", classes="pane"),
        ConsolePane(id="console", classes="pane"),
        DiagnosticsPane(id="diagnostics", classes="pane"),
        FlowPane(id="flow", classes="pane"),
    ]
