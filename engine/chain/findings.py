"""What has been found out about a graph of lines, kept so that no step finds it out anew."""

from dataclasses import dataclass, field
from typing import NamedTuple

from engine.chain.line_graph import Ways
from engine.chain.ties import Dependence
from engine.jacobian.form import Form


class Facts(NamedTuple):
    """What is known of a Jacobian before any value: where it can be non-zero, and its cost."""

    form: Form
    work: int
    steps: int


@dataclass(eq=False)
class Kept:
    """What has been found out about a graph; ``Facts`` are by the paths and the sample.

    ``by_value`` are the edges that depend on values: what elements an index picks.
    """

    edges: dict[tuple[str, str], Dependence | None] = field(default_factory=dict)
    lines: dict[tuple[str, str], Ways] = field(default_factory=dict)
    ways: dict[tuple[str, str], Ways | None] = field(default_factory=dict)
    depends: dict[Ways, Dependence | None] = field(default_factory=dict)
    work: dict[tuple[Ways, bool], int] = field(default_factory=dict)
    facts: dict[tuple[Ways, int | None], Facts | None] = field(default_factory=dict)
    mixing: dict[Ways, str] = field(default_factory=dict)
    by_value: set[tuple[str, str]] = field(default_factory=set)
