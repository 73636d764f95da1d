"""The table of activations: a row makes one a layer and a function of the expression language."""

from engine.functions.elementwise.celu import CELU
from engine.functions.elementwise.elu import ELU
from engine.functions.elementwise.gelu import GELU
from engine.functions.elementwise.hard_sigmoid import HardSigmoid
from engine.functions.elementwise.hard_swish import HardSwish
from engine.functions.elementwise.hard_tanh import HardTanh
from engine.functions.elementwise.identity import Identity
from engine.functions.elementwise.leaky_relu import LeakyReLU
from engine.functions.elementwise.mish import Mish
from engine.functions.elementwise.relu import ReLU
from engine.functions.elementwise.selu import SELU
from engine.functions.elementwise.sigmoid import Sigmoid
from engine.functions.elementwise.silu import SiLU
from engine.functions.elementwise.softplus import Softplus
from engine.functions.elementwise.softsign import Softsign
from engine.functions.elementwise.tanh import Tanh
from engine.functions.elementwise.thresholded_relu import ThresholdedReLU
from engine.functions.function import Activation
from engine.functions.softmax import LogSoftmax, Softmax

ACTIVATIONS: tuple[type[Activation], ...] = (
    Identity,
    ReLU,
    LeakyReLU,
    Sigmoid,
    Tanh,
    Softplus,
    ELU,
    SiLU,
    GELU,
    HardSigmoid,
    HardTanh,
    HardSwish,
    SELU,
    CELU,
    Softsign,
    ThresholdedReLU,
    Mish,
    Softmax,
    LogSoftmax,
)
