from engine import nn as nn
from engine.chain.query import JacobianView as JacobianView
from engine.chain.query import query as jacobian_of
from engine.debugger import Debugger as Debugger
from engine.diagnostics.diagnosis import Diagnosis as Diagnosis
from engine.diagnostics.doctor import diagnose as diagnose
from engine.errors import GradstepError as GradstepError
from engine.experiment.reader import load_experiment as load
from engine.experiment.spec import Experiment as Experiment
from engine.jacobian.operator import Layout as Layout
from engine.measure.gradcheck import GradCheck as GradCheck
from engine.measure.gradcheck import check_gradients as check_gradients
from engine.program.compiler import compile_program as compile
from engine.program.program import Program as Program
from engine.recording.live import record as record
from engine.recording.replay import open_recording as open_recording
from engine.run.event import Event as Event
from engine.run.event import State as State
from engine.run.op import Op as Op
from engine.run.op import TensorInfo as TensorInfo
from engine.run.position import Granularity as Granularity
from engine.run.position import Position as Position
from engine.session.session import Session as Session
from engine.worksheet.worksheet import Worksheet as Worksheet
from engine.worksheet.worksheet import worksheet as worksheet_of

__version__: str
__all__ = [
    "Debugger",
    "Diagnosis",
    "Event",
    "Experiment",
    "GradCheck",
    "GradstepError",
    "Granularity",
    "JacobianView",
    "Layout",
    "Op",
    "Position",
    "Program",
    "Session",
    "State",
    "TensorInfo",
    "Worksheet",
    "__version__",
    "check_gradients",
    "compile",
    "diagnose",
    "jacobian_of",
    "load",
    "nn",
    "open_recording",
    "record",
    "worksheet_of",
]
