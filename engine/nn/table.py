"""The tables of layers and losses: a row each, by the word that names it in an experiment."""

from engine.functions.elementwise.dropout import Dropout
from engine.functions.glu import GLU
from engine.functions.linear import Linear
from engine.functions.losses.bce import BCE
from engine.functions.losses.bce_with_logits import BCEWithLogits
from engine.functions.losses.cosine import Cosine
from engine.functions.losses.cross_entropy import CrossEntropy
from engine.functions.losses.gaussian_nll import GaussianNLL
from engine.functions.losses.hinge import Hinge
from engine.functions.losses.huber import Huber
from engine.functions.losses.kl_div import KLDiv
from engine.functions.losses.l1 import L1
from engine.functions.losses.loss import Loss
from engine.functions.losses.mse import MSE
from engine.functions.losses.multi_margin import MultiMargin
from engine.functions.losses.nll import NLL
from engine.functions.losses.smooth_l1 import SmoothL1
from engine.functions.prelu import PReLU
from engine.functions.table import ACTIVATIONS
from engine.nn.layer import LayerRow, Parameter

LAYERS: dict[str, LayerRow] = {
    row.function.type: row
    for row in (
        LayerRow(
            Linear,
            {
                "weight": Parameter("W", lambda inputs, outputs: (outputs, inputs), "weight"),
                "bias": Parameter("b", lambda inputs, outputs: (outputs,), "bias"),
            },
            resizes=True,
        ),
        *map(LayerRow, ACTIVATIONS),
        LayerRow(PReLU, {"weight": Parameter("a", lambda inputs, outputs: (outputs,), 0.25)}),
        LayerRow(GLU),
        LayerRow(Dropout),
    )
}

LOSSES: dict[str, type[Loss]] = {
    loss.type: loss
    for loss in (
        *(MSE, L1, Huber, SmoothL1, GaussianNLL, BCE, BCEWithLogits, Hinge),
        *(CrossEntropy, NLL, MultiMargin, KLDiv, Cosine),
    )
}
