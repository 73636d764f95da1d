"""The flow pane of a network of lines: norms of each line's tensor, gradient and parameter."""

import numpy as np

from tests.tui.line_experiments import lines_program
from tests.tui.screen import debugger
from tui.render.text.numbers import compact


async def test_a_row_for_each_line_and_each_parameter():
    program = lines_program("gated")
    async with debugger(program, (200, 60)) as shown:
        await shown.press("f", "9")
        tensors = shown.session.tensors
        rows: dict[str, str] = {}
        for row in shown.rows():
            if words := row.split("││")[-1].strip("│ ").split():
                rows.setdefault(words[0], row)  # the pane of variables is further down
        for name in ("c[0]", "h[1]", "h[2]"):
            norm = float(np.linalg.norm(tensors[f"{name}.grad"]))
            assert compact(norm, 6) in rows[name]
            assert compact(float(tensors[name].mean()), 6) in rows[name]
        before = program.network.initial(program.experiment)["Wh"]
        ratio = np.linalg.norm(tensors["Wh"] - before) / np.linalg.norm(before)
        assert compact(float(ratio), 6) in rows["Wh"]
        assert compact(float(np.linalg.norm(tensors["Wh.grad"])), 6) in rows["Wh"]
        await shown.press("down", "down")
        assert "h[0] = c[0]*h[-1] + (1 - c[0])*(x[:, 0] @ Wx.T)  (2, 3)" in shown.text()
