"""What a training ends with: the metrics on the rows trained on and on those set aside."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.arrays import Array
from engine.experiment.dataset import Dataset
from engine.measure.metrics import confusion, evaluate
from engine.program.program import Program
from tui.render.text.clean import clean
from tui.render.text.numbers import count_text

WIDEST = 100  # columns of a confusion matrix that is still printed
METRICS = {
    "loss": ("loss", ".6g"),
    "accuracy": ("accuracy", ".2%"),
    "r2": ("R²", ".6g"),
    "mae": ("mean absolute error", ".6g"),
}
Row = tuple[str, str]


def measured(program: Program, tensors: Mapping[str, Array], data: Dataset) -> dict[str, Any]:
    """The metrics on these samples; for classes the confusion matrix (classes, classes) too."""
    table = confusion(program, tensors, data)
    found: dict[str, Any] = {"metrics": evaluate(program, tensors, data=data)}
    return found if table is None else found | {"confusion": table.tolist()}


def summary(
    result: Mapping[str, Any], classes: Sequence[str], more: Sequence[Row]
) -> Iterator[str]:
    """The result for people, with more rows after the metrics, and the confusion matrix last."""
    rows = [*summary_rows(result), *more]
    width = max(24, *(len(label) + 2 for label, _ in rows))
    yield from (f"{label:{width}}{text}" for label, text in rows)
    aside = result.get("validation")
    table = (aside or result).get("confusion")
    if table is not None:
        yield from confusion_lines(table, classes, "all" if aside is None else "validation")


def summary_rows(result: Mapping[str, Any]) -> Iterator[Row]:
    """The rows (label, text) of what was run and of the metrics."""
    loss, aside = result["loss"], result.get("validation")
    yield "experiment", clean(result["experiment"])
    yield "iterations", f"{count_text(result['iterations'])} ({result['epochs']:.6g} epochs)"
    yield "loss of the last batch", "none" if loss is None else f"{loss:.6g}"
    yield from metric_rows(result["metrics"], "all" if aside is None else "training")
    if aside is not None:
        yield from metric_rows(aside["metrics"], "validation")


def metric_rows(metrics: Mapping[str, float], rows: str) -> Iterator[Row]:
    """The rows (label, text) of loss, accuracy or errors on these rows of data."""
    for name, (label, form) in METRICS.items():
        if name in metrics:
            yield f"{label} on {rows} rows", format(metrics[name], form)


def confusion_lines(
    table: Sequence[Sequence[int]], classes: Sequence[str], rows: str
) -> Iterator[str]:
    """The confusion matrix with the names of the classes; nothing where that is too wide."""
    numbers = [str(k) for k in range(len(table))]
    names = [clean(name) for name in classes] if len(classes) == len(table) else numbers
    cells = [[count_text(n) for n in row] for row in table]
    width = max(len(cell) for row in (names, *cells) for cell in row) + 2
    if width * (len(names) + 1) > WIDEST:
        return
    yield f"confusion on {rows} rows: a row for each class, a column for each answer"
    yield " " * width + "".join(name.rjust(width) for name in names)
    for name, row in zip(names, cells, strict=True):
        yield name.ljust(width) + "".join(cell.rjust(width) for cell in row)
