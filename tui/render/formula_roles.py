"""Formulas with their tensors coloured as in the panes: parameters, gradients, data, …"""

import re
from functools import lru_cache

from engine.run.op import TensorInfo
from engine.run.run import Run
from tui.render.text.line import Span

ROLE_OF = {
    "parameter": "tensor-parameter",
    "gradient": "tensor-gradient",
    "activation": "tensor-activation",
    "input": "tensor-data",
    "target": "tensor-data",
    "loss": "tensor-loss",
}


@lru_cache(maxsize=1024)
def tensor_role(info: TensorInfo) -> str:
    """The role of a tensor's name or symbol, by the tensor's own role."""
    return ROLE_OF.get(info.role, "dim")


@lru_cache(maxsize=4)
def symbols_of(run: Run) -> tuple[re.Pattern[str], dict[str, str]]:
    """A pattern for the symbols of a run's tensors, the longest first, and the role of each."""
    roles = {info.symbol: tensor_role(info) for info in run.tensors.values()}
    longest = sorted(roles, key=len, reverse=True)
    words = "|".join(re.escape(symbol) for symbol in longest)
    return re.compile(f"(?<![a-zA-Z])({words})(?![a-zA-Z])"), roles


@lru_cache(maxsize=1024)
def coloured(run: Run, formula: str, role: str) -> tuple[Span, ...]:
    """A formula as spans; what is no tensor has the given role."""
    pattern, roles = symbols_of(run)
    parts = pattern.split(formula)
    return tuple((part, roles[part] if i % 2 else role) for i, part in enumerate(parts) if part)
