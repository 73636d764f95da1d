"""The engine of gradstep: NumPy training that can be stepped forwards and backwards, op by op.

This is its face: ``engine.load``, ``engine.compile``, ``engine.Session`` and the rest of
``__all__``. Each name is loaded with its first use, so that importing the engine costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_ROOMS = {
    "engine.chain.query": {"JacobianView": "JacobianView", "jacobian_of": "query"},
    "engine.debugger": {"Debugger": "Debugger"},
    "engine.diagnostics.diagnosis": {"Diagnosis": "Diagnosis"},
    "engine.diagnostics.doctor": {"diagnose": "diagnose"},
    "engine.errors": {"GradstepError": "GradstepError"},
    "engine.experiment.reader": {"load": "load_experiment"},
    "engine.experiment.spec": {"Experiment": "Experiment"},
    "engine.jacobian.operator": {"Layout": "Layout"},
    "engine.measure.gradcheck": {"GradCheck": "GradCheck", "check_gradients": "check_gradients"},
    "engine.program.compiler": {"compile": "compile_program"},
    "engine.program.program": {"Program": "Program"},
    "engine.recording.live": {"record": "record"},
    "engine.recording.replay": {"open_recording": "open_recording"},
    "engine.run.event": {"Event": "Event", "State": "State"},
    "engine.run.op": {"Op": "Op", "TensorInfo": "TensorInfo"},
    "engine.run.position": {"Granularity": "Granularity", "Position": "Position"},
    "engine.session.session": {"Session": "Session"},
    "engine.worksheet.worksheet": {"Worksheet": "Worksheet", "worksheet_of": "worksheet"},
}
_PLACES = {name: (room, own) for room, names in _ROOMS.items() for name, own in names.items()}

_FOR_AUTHORS = "nn"  # the room of those who write a layer, which is a face itself

__all__ = ["__version__", _FOR_AUTHORS, *sorted(_PLACES)]  # noqa: PLE0604 - the table has the names


def __getattr__(name: str) -> Any:
    """A name of the face, loaded from its room and kept."""
    if name == _FOR_AUTHORS:
        return import_module(f"engine.{name}")  # which makes it an attribute
    if name not in _PLACES:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    room, own = _PLACES[name]
    value = globals()[name] = getattr(import_module(room), own)
    return value


def __dir__() -> list[str]:
    """The names of the face, for completion."""
    return __all__
