"""The words of layers that are lines: one for each row, and no row loaded for a word."""

import subprocess
import sys

from engine.nn.line_rows import LINE_ROWS
from engine.nn.line_table import LINE_LAYERS, WORDS


def test_there_is_a_word_for_each_row_and_a_row_for_each_word():
    assert tuple(LINE_ROWS) == WORDS == tuple(LINE_LAYERS)
    assert dict(LINE_LAYERS) == LINE_ROWS
    assert "linear" not in LINE_LAYERS
    assert LINE_LAYERS.get("no such kind") is None


def test_a_network_of_layers_in_a_row_loads_nothing_of_lines():
    program = (
        "import sys\n"
        "from engine.experiment.reader import load_experiment\n"
        "from engine.program.compiler import compile_program\n"
        "compile_program(load_experiment('regression'))\n"
        "print([m for m in sys.modules if m.startswith(('engine.lines', 'engine.nn.line_rows'))])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
