"""The panes that share the place of the tensor pane: nobody sees them when the debugger opens."""

from textual.widget import Widget

from tui.keys.bound import Bound
from tui.panes.chain import ChainPane
from tui.panes.console import ConsolePane
from tui.panes.diagnostics import DiagnosticsPane
from tui.panes.flow import FlowPane
from tui.panes.jacobian import JacobianPane
from tui.panes.watches import WatchesPane


def inspectors(keys: Bound) -> list[Widget]:
    """New widgets of the panes behind the tensor pane; their ids are the keys of PANES."""
    return [
        JacobianPane(id="jacobian", classes="pane"),
        ChainPane(id="chain", classes="pane"),
        WatchesPane(id="watches", classes="pane"),
        ConsolePane(keys["command"], id="console", classes="pane"),
        DiagnosticsPane(id="diagnostics", classes="pane"),
        FlowPane(id="flow", classes="pane"),
    ]
