"""What is wrong with an experiment, with the lines of its file."""

from collections.abc import Sequence
from pathlib import Path

from engine.errors import ExperimentError, GradstepError, Problem
from engine.experiment.spec import Experiment
from engine.files import read_regular
from engine.toml_lines import MAX_CHARACTERS, located


def failed(experiment: Experiment, problems: Sequence[Problem]) -> ExperimentError:
    """The ExperimentError of problems that reading alone does not show; it is not raised.

    They get lines where the experiment comes from a file: it is read once more, for nobody needs
    its text but who made a mistake.
    """
    file = experiment.file or experiment.name
    return ExperimentError(file, located(problems, text_of(experiment.file)))


def text_of(file: str) -> str:
    """The text of an experiment file; nothing where it cannot be read any more, or is no file."""
    if not file.endswith(".toml"):
        return ""
    try:
        return read_regular(Path(file), 4 * MAX_CHARACTERS).decode("utf-8-sig")
    except (GradstepError, OSError, UnicodeDecodeError):
        return ""
