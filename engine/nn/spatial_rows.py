"""Convolutions and pools of images (N, C, H, W), or of sequences (N, C, T)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

from engine.functions.options import Count, Natural
from engine.lines.node import Node, described
from engine.nn.line_row import LineRow, Unfit, Weight, Written, biased, names

Sizes = Count | tuple[Count, ...]
Widths = Natural | tuple[Natural, ...]
SHAPES = {1: "(N, C, T)", 2: "(N, C, H, W)"}


def checked(z: Node, axes: int, kind: str) -> None:
    """Raise Unfit for what is no batch of images."""
    if z.rank != axes + 2:
        raise Unfit(f"{described(z)}; {kind} takes {SHAPES[axes]}")


def each(value: int | tuple[int, ...], axes: int, option: str) -> tuple[int, ...]:
    """An option for each axis; Unfit for another number of them."""
    found = (value,) * axes if isinstance(value, int) else value
    if len(found) != axes:
        raise Unfit(f"has {len(found)} numbers: one, or {axes} of them", option)
    return found


def called(values: dict[str, object]) -> str:
    """Options as further arguments of a call."""
    return "".join(f", {name}={value!r}" for name, value in values.items())


@dataclass(frozen=True)
class Convolving(LineRow):
    """What convolutions have in common; filters (out, C / groups, …)."""

    roles: ClassVar[str] = "weight|bias"
    axes: ClassVar[int]
    out: Count
    kernel: Sizes
    stride: Sizes = 1
    padding: Widths | Literal["same", "valid"] = 0
    dilation: Sizes = 1
    groups: Count = 1
    bias: bool = True

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        (z,) = inputs
        checked(z, self.axes, self.type)
        channels, kernel = z.shape[1], each(self.kernel, self.axes, "kernel")
        for name, size in (("channels", channels), ("out", self.out)):
            if size % self.groups:
                said = f"{described(z)}: " if name == "channels" else ""
                raise Unfit(f"{said}{size} {name} make no {self.groups} groups", "groups")
        weight = Weight((self.out, channels // self.groups, *kernel))
        parameters = biased(self.bias, {"weight": weight}, (self.out,), prod(weight.shape[1:]))
        options = called(
            {
                "stride": each(self.stride, self.axes, "stride"),
                "padding": self.widths(kernel),
                "dilation": each(self.dilation, self.axes, "dilation"),
                "groups": self.groups,
            }
        )
        return Written(f"out = {self.type}(z{names(parameters)}{options})", parameters)

    def widths(self, kernel: tuple[int, ...]) -> tuple[int, ...]:
        """The zeros on each side; ``same`` are those that keep the size."""
        if self.padding == "valid":
            return (0,) * self.axes
        if self.padding != "same":
            return each(self.padding, self.axes, "padding")
        around = zip(kernel, each(self.dilation, self.axes, "dilation"), strict=True)
        spans = [(size - 1) * step for size, step in around]
        if set(each(self.stride, self.axes, "stride")) != {1}:
            raise Unfit('"same" needs a stride of 1', "padding")
        if any(span % 2 for span in spans):
            raise Unfit(
                f'"same" needs an odd kernel, not {kernel}: both sides get as much', "padding"
            )
        return tuple(span // 2 for span in spans)


@dataclass(frozen=True)
class Conv1dRow(Convolving):
    """A filter bank slid over sequences (N, C, T)."""

    type: ClassVar[str] = "conv1d"
    axes: ClassVar[int] = 1


@dataclass(frozen=True)
class Conv2dRow(Convolving):
    """A filter bank slid over images (N, C, H, W)."""

    type: ClassVar[str] = "conv2d"
    axes: ClassVar[int] = 2


@dataclass(frozen=True)
class ConvTranspose2dRow(LineRow):
    """The transpose of a convolution; filters (C, out / groups, …)."""

    type: ClassVar[str] = "conv_transpose2d"
    roles: ClassVar[str] = "weight|bias"
    axes: ClassVar[int] = 2
    out: Count
    kernel: Sizes
    stride: Sizes = 1
    padding: Widths = 0
    output_padding: Widths = 0
    dilation: Sizes = 1
    groups: Count = 1
    bias: bool = True

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        (z,) = inputs
        checked(z, self.axes, self.type)
        kernel = each(self.kernel, self.axes, "kernel")
        if z.shape[1] % self.groups or self.out % self.groups:
            said = f"{z.shape[1]} channels to {self.out} make no {self.groups} groups"
            raise Unfit(f"{described(z)}: {said}", "groups")
        weight = Weight((z.shape[1], self.out // self.groups, *kernel))
        parameters = biased(self.bias, {"weight": weight}, (self.out,), prod(weight.shape[1:]))
        options = {
            option: each(getattr(self, option), self.axes, option)
            for option in ("stride", "padding", "output_padding", "dilation")
        }
        said = called({**options, "groups": self.groups})
        return Written(f"out = {self.type}(z{names(parameters)}{said})", parameters)


@dataclass(frozen=True)
class Pooling(LineRow):
    """What pools have in common; the stride is the kernel unless it is given."""

    axes: ClassVar[int]
    kernel: Sizes
    stride: Sizes | None = None
    padding: Widths = 0
    ceil_mode: bool = False

    def more(self) -> dict[str, object]:
        """The options of its kind alone."""
        return {}

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        (z,) = inputs
        checked(z, self.axes, self.type)
        kernel = each(self.kernel, self.axes, "kernel")
        padding = each(self.padding, self.axes, "padding")
        if any(2 * width > size for width, size in zip(padding, kernel, strict=True)):
            raise Unfit(f"{padding} is more than half of the kernel {kernel}", "padding")
        options: dict[str, object] = {"padding": padding, "ceil_mode": self.ceil_mode}
        if self.stride is not None:
            options["stride"] = each(self.stride, self.axes, "stride")
        return Written(f"out = {self.type}(z, {kernel}{called(options | self.more())})")


@dataclass(frozen=True)
class MaxPooling(Pooling):
    """What pools that take the largest element have in common."""

    dilation: Sizes = 1

    def more(self) -> dict[str, object]:
        return {"dilation": each(self.dilation, self.axes, "dilation")}


@dataclass(frozen=True)
class AvgPooling(Pooling):
    """What pools that take the mean have in common."""

    count_include_pad: bool = True

    def more(self) -> dict[str, object]:
        return {"count_include_pad": self.count_include_pad}


@dataclass(frozen=True)
class MaxPool1dRow(MaxPooling):
    """The largest element of each window of sequences."""

    type: ClassVar[str] = "max_pool1d"
    axes: ClassVar[int] = 1


@dataclass(frozen=True)
class MaxPool2dRow(MaxPooling):
    """The largest element of each window of images."""

    type: ClassVar[str] = "max_pool2d"
    axes: ClassVar[int] = 2


@dataclass(frozen=True)
class AvgPool1dRow(AvgPooling):
    """The mean of each window of sequences."""

    type: ClassVar[str] = "avg_pool1d"
    axes: ClassVar[int] = 1


@dataclass(frozen=True)
class AvgPool2dRow(AvgPooling):
    """The mean of each window of images."""

    type: ClassVar[str] = "avg_pool2d"
    axes: ClassVar[int] = 2


@dataclass(frozen=True)
class AdaptiveAvgPool2dRow(LineRow):
    """The means over windows that make an output of a given size."""

    type: ClassVar[str] = "adaptive_avg_pool2d"
    out: Sizes

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        (z,) = inputs
        checked(z, 2, self.type)
        return Written(f"out = adaptive_avg_pool2d(z, {each(self.out, 2, 'out')})")
