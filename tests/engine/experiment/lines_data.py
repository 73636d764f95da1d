"""Data as networks written as lines take them."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.errors import ExperimentError
from engine.experiment.dataset import Dataset, load_data
from engine.experiment.reader import Reader
from engine.experiment.spec import DataSpec, NetworkSpec, WrittenSpec
from tests.engine.small_experiments import experiment


def load(
    data: dict[str, Any], folder: Path | str = "", loss: str | None = None, **top: Any
) -> Dataset:
    """The samples behind a [data] table; a network of lines makes its loss itself, unless said."""
    reader = Reader()
    reader.lines = True
    spec = reader.table(DataSpec, data, "data")
    if spec is None:
        raise ExperimentError("test.toml", reader.problems)
    plain = experiment(**({"loss": {"type": loss}} if loss else {}), **top)
    written = plain.loss if loss else WrittenSpec()
    return load_data(
        msgspec.structs.replace(
            plain, data=spec, directory=str(folder), loss=written, network=NetworkSpec()
        )
    )


def problems(data: dict[str, Any], folder: Path | str = "", **top: Any) -> list[tuple[str, str]]:
    """What is wrong with a [data] table, the folder left out."""
    with pytest.raises(ExperimentError) as caught:
        load(data, folder, **top)
    found = [(p.path, p.message) for p in caught.value.problems]
    place = f"{folder}{os.sep}"
    return [(path, said.replace(place, "")) for path, said in found] if folder else found
