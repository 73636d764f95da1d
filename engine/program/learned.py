"""The parameters as the update phase knows them, wherever they come from."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.arrays import Shape
from engine.experiment.own_rule import rule_of
from engine.experiment.spec import (
    Experiment,
    LayerSpec,
    LearningSpec,
    LinesSpec,
    OptimizerSpec,
    RuleSpec,
)
from engine.optim.groups import Group
from engine.optim.optimizers import Optimizer
from engine.optim.table import OPTIMIZERS
from engine.program.graph import Network, Node, settings
from engine.program.line_network import LineNetwork

NOTHING = Group()


@dataclass(frozen=True)
class Learned:
    """A parameter: its tensor, its layer if it has one, and how it differs in what moves it."""

    name: str
    symbol: str
    layer: str | None
    shape: Shape
    frozen: bool = False
    group: Group = NOTHING

    @property
    def owner(self) -> str:
        """What the numbers of its group are named after: the layer, or the parameter itself."""
        return self.layer or self.name


def learned_parameters(experiment: Experiment, network: Network) -> tuple[Learned, ...]:
    """The parameters of the layers in their order, frozen ones too."""
    rule = experiment.optimizer
    if isinstance(network, LineNetwork):
        return tuple(
            Learned(
                one.name,
                one.name,
                one.layer,
                one.value.shape,
                one.frozen,
                group(one.lr, one.weight_decay, one.decay, rule, one.value.shape),
            )
            for one in network.parameters_
        )
    return tuple(
        Learned(
            name,
            node.symbols[role],
            node.name,
            shape,
            is_frozen(node, role),
            group_of(node.spec, rule, role, shape),
        )
        for name, node, role, shape in network.parameters()
    )


def is_frozen(node: Node, role: str) -> bool:
    """Whether the optimizer leaves a parameter alone."""
    return role in getattr(node.spec, "frozen", ())


def group_of(layer: LayerSpec, rule: OptimizerSpec, role: str, shape: Shape) -> Group:
    """The group of a parameter of a layer."""
    if not isinstance(layer, LearningSpec):
        return NOTHING
    decay = role in layer.decay if isinstance(layer.decay, Sequence) else layer.decay
    return group(layer.lr, layer.weight_decay, decay, rule, shape)


def group(
    lr: float | None,
    weight_decay: float | None,
    decay: bool | None,
    rule: OptimizerSpec,
    shape: Shape,
) -> Group:
    """The group of a parameter of this shape; what is None is as the optimizer says."""
    if decay is None:
        decay = not isinstance(rule, RuleSpec) or rule.decay == "all" or len(shape) > 1
    return Group(lr, weight_decay if decay else 0.0)


def optimizer_of(spec: OptimizerSpec) -> Optimizer:
    """The rule that an [optimizer] table asks for."""
    if isinstance(spec, LinesSpec):
        return rule_of(spec)
    cls = OPTIMIZERS[spec.type]
    return cls(**settings(spec, cls))
