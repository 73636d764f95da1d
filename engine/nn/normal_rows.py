"""Normalizations: over the batch with running statistics, over the last axes, over groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from engine.arrays import Shape
from engine.functions.options import Count, NonNegative, Probability
from engine.lines.node import Node, described
from engine.nn.line_row import LineRow, Unfit, Weight, Written, names


def affine(shape: Shape, bias: bool = True) -> dict[str, Weight]:
    """γ and β, which begin at 1 and 0."""
    return {"weight": Weight(shape, 1.0), **({"bias": Weight(shape, 0.0)} if bias else {})}


@dataclass(frozen=True)
class BatchNorm(LineRow):
    """What both kinds of batch normalization have in common (Ioffe and Szegedy 2015).

    In evaluation the running statistics stand for those of the batch. Their variance is unbiased,
    that of the batch is not, as in PyTorch.
    """

    roles: ClassVar[str] = "weight|bias|running_mean|running_var"
    ranks: ClassVar[tuple[int, ...]]
    takes: ClassVar[str]
    eps: NonNegative = 1e-5
    momentum: Probability = 0.1
    affine: bool = True
    track_running_stats: bool = True

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        (z,) = inputs
        if z.rank not in self.ranks:
            raise Unfit(f"{described(z)}; {self.type} takes {self.takes}")
        channels = z.shape[1]
        parameters = affine((channels,)) if self.affine else {}
        buffers = {
            "running_mean": Weight((channels,), 0.0),
            "running_var": Weight((channels,), 1.0),
        }
        if not self.track_running_stats:
            self.check_spread(z)
            return Written(self.of_batch(parameters), parameters)
        if not training:
            return Written(self.of_running(z, parameters), parameters, buffers)
        self.check_spread(z)
        axes = tuple(k for k in range(z.rank) if k != 1)
        keep, renew = repr(1 - self.momentum), repr(self.momentum)
        updates = {
            "running_mean": f"{keep}*running_mean + {renew}*mean(z, axis={axes})",
            "running_var": f"{keep}*running_var + {renew}*var(z, axis={axes}, correction=1)",
        }
        return Written(self.of_batch(parameters), parameters, buffers, updates)

    def check_spread(self, z: Node) -> None:
        """Raise Unfit where the batch has a single value for each channel."""
        if prod(z.shape) == z.shape[1]:
            raise Unfit(f"{described(z)}: a batch of one value a channel has no variance")

    def of_batch(self, parameters: dict[str, Weight]) -> str:
        """With the statistics of the batch."""
        return f"out = batch_norm(z{names(parameters)}, eps={self.eps!r})"

    def of_running(self, z: Node, parameters: dict[str, Weight]) -> str:
        """With the running statistics."""

        def along(role: str) -> str:
            sizes = (z.shape[1], *(1,) * (z.rank - 2))
            return f"reshape({role}, {', '.join(map(str, sizes))})"

        text = f"(z - {along('running_mean')}) / sqrt({along('running_var')} + {self.eps!r})"
        if parameters:
            text = f"{along('weight')}*({text}) + {along('bias')}"
        return f"out = {text}"


@dataclass(frozen=True)
class BatchNorm1dRow(BatchNorm):
    """Batch normalization of rows (N, C), or of sequences (N, C, T)."""

    type: ClassVar[str] = "batch_norm1d"
    ranks: ClassVar[tuple[int, ...]] = (2, 3)
    takes: ClassVar[str] = "(N, C) or (N, C, T)"


@dataclass(frozen=True)
class BatchNorm2dRow(BatchNorm):
    """Batch normalization of images (N, C, H, W)."""

    type: ClassVar[str] = "batch_norm2d"
    ranks: ClassVar[tuple[int, ...]] = (4,)
    takes: ClassVar[str] = "(N, C, H, W)"


@dataclass(frozen=True)
class LayerNormRow(LineRow):
    """Layer normalization over the axes of ``normalized_shape``, the last one by default."""

    type: ClassVar[str] = "layer_norm"
    roles: ClassVar[str] = "weight|bias"
    normalized_shape: Count | tuple[Count, ...] | None = None
    eps: NonNegative = 1e-5
    elementwise_affine: bool = True
    bias: bool = True

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        (z,) = inputs
        if z.rank < 2:
            raise Unfit(f"{described(z)}; layer_norm takes (N, …, n)")
        given = self.normalized_shape
        shape = z.shape[-1:] if given is None else (given,) if isinstance(given, int) else given
        if not shape or len(shape) >= z.rank or z.shape[-len(shape) :] != shape:
            raise Unfit(f"{described(z)}, which does not end in {shape}", "normalized_shape")
        if not self.elementwise_affine and len(shape) == 1:
            return Written(f"out = layer_norm(z, eps={self.eps!r})")
        if not self.elementwise_affine:
            ones = f"ones({', '.join(map(str, shape))})"
            return Written(f"out = layer_norm(z, {ones}, eps={self.eps!r})")
        parameters = affine(shape, self.bias)
        return Written(f"out = layer_norm(z{names(parameters)}, eps={self.eps!r})", parameters)


@dataclass(frozen=True)
class GroupNormRow(LineRow):
    """Normalization over ``groups`` groups of channels (Wu and He 2018)."""

    type: ClassVar[str] = "group_norm"
    roles: ClassVar[str] = "weight|bias"
    groups: Count
    eps: NonNegative = 1e-5
    affine: bool = True

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        (z,) = inputs
        if z.rank < 2:
            raise Unfit(f"{described(z)}; group_norm takes (N, C) or (N, C, …)")
        if z.shape[1] % self.groups:
            said = f"{z.shape[1]} channels make no {self.groups} groups"
            raise Unfit(f"{described(z)}: {said}", "groups")
        parameters = affine(z.shape[1:2]) if self.affine else {}
        options = f", groups={self.groups}, eps={self.eps!r}"
        return Written(f"out = group_norm(z{names(parameters)}{options})", parameters)
