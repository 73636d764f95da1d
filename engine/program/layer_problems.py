"""What is wrong with layers among lines before any of them is read."""

from collections.abc import Container, Iterator

from engine.arrays import Array
from engine.errors import Problem
from engine.experiment.dataset import GIVEN, Dataset
from engine.experiment.spec import Experiment
from engine.nn.plain_rows import EmbeddingRow
from engine.program.line_layers import row_of


def layer_problems(
    experiment: Experiment, data: Dataset, constants: Container[str]
) -> Iterator[Problem]:
    """Layers where there can be none, whose name is taken, or that have no row for an index."""
    names = experiment.layer_names
    if names and experiment.network is not None and experiment.network.per == "sample":
        yield Problem("network.per", 'layers take whole batches: per = "batch"')
    for i, (name, spec) in enumerate(zip(names, experiment.layers, strict=True)):
        if name in constants or name in experiment.parameters:
            said = f"{name} is a parameter or a constant, too"
            yield Problem(f"layers[{i}].name", said)
        (read, *_) = spec.inputs or [names[i - 1] if i else "x"]
        if spec.type == EmbeddingRow.type and read in GIVEN:
            row = row_of(spec)
            assert isinstance(row, EmbeddingRow)
            if said := index_problem(getattr(data, read), name, row):
                yield Problem(f"data.{read}", said)


def index_problem(index: Array, name: str, row: EmbeddingRow) -> str:
    """An index that an embedding has no row for; empty where there is none."""
    if index.dtype.kind not in "iu":
        return ""
    low, high = int(index.min(initial=0)), int(index.max(initial=0))
    if low >= 0 and high < row.num:
        return ""
    worst = low if low < 0 else high
    return f"has {worst}, but {name} has {row.num} rows, 0 to {row.num - 1}"
