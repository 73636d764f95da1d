"""Which products a convolution adds up: of image and filter, and of what flows back to either."""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.explain.values import Place
from engine.lines.node import Call
from engine.lines.spatial import Spatial, SpatialPull

SPATIAL = (Spatial, SpatialPull)
Places = NDArray[np.intp]
Steps = list[tuple[int, int, int]]  # of one axis: where in the small image, the filter, the large


def spatial_pairs(node: Call, place: Place) -> tuple[Places, Places]:
    """The places (count, rank) in the first and in the second operand whose products make one.

    A convolution reads the large image and makes the small one, a transposed one the reverse; the
    small image's channels are the filter's first axis.
    """
    wide, narrow, kernel = operands(node)
    known = asked(node)
    shapes = shapes_of(node)
    options = dict(node.options)
    spatial = range(len(options["stride"]))
    steps = [steps_along(shapes, axis, options, known, place) for axis in spatial]
    found: dict[str, list[Place]] = {"wide": [], "narrow": [], "kernel": []}
    for n, outer, inner, channel in channels(shapes, options.get("groups", 1), known, place):
        for along in product(*steps):
            small, within, large = zip(*along, strict=True)
            found["wide"].append((n, channel, *large))
            found["narrow"].append((n, outer, *small))
            found["kernel"].append((outer, inner, *within))
    order = {wide: "wide", narrow: "narrow", kernel: "kernel"}
    first, second = (np.array(found[order[i]], dtype=np.intp) for i in (0, 1))
    rank = len(place)
    return first.reshape(-1, rank), second.reshape(-1, rank)


def operands(node: Call) -> tuple[int, int, int]:
    """Which of the operands is the large image, the small one, the filter; 2 is the result."""
    function: Any = node.function
    if isinstance(function, Spatial):
        return (2, 0, 1) if function.transposed else (0, 2, 1)
    # The first operand is the gradient of what forward made, the second what is not asked for.
    if function.transposed:
        return (0, 2, 1) if function.of == 0 else (0, 1, 2)
    return (2, 0, 1) if function.of == 0 else (1, 0, 2)


def asked(node: Call) -> str:
    """Which of the three the result is."""
    return ("wide", "narrow", "kernel")[operands(node).index(2)]


def shapes_of(node: Call) -> dict[str, tuple[int, ...]]:
    """The shapes of the three."""
    every = (*(one.shape for one in node.operands), node.shape)
    wide, narrow, kernel = operands(node)
    return {"wide": every[wide], "narrow": every[narrow], "kernel": every[kernel]}


def steps_along(
    shapes: dict[str, tuple[int, ...]], axis: int, options: dict[str, Any], known: str, place: Place
) -> Steps:
    """The triples with large = small · stride + within · dilation − padding along one axis."""
    sizes = {name: shape[axis + 2] for name, shape in shapes.items()}
    stride, padding = options["stride"][axis], options["padding"][axis]
    dilation = options["dilation"][axis]
    at = place[axis + 2]
    found = []
    for small in [at] if known == "narrow" else range(sizes["narrow"]):
        for within in [at] if known == "kernel" else range(sizes["kernel"]):
            large = small * stride + within * dilation - padding
            if 0 <= large < sizes["wide"] and (known != "wide" or large == at):
                found.append((small, within, large))
    return found


def channels(
    shapes: dict[str, tuple[int, ...]], groups: int, known: str, place: Place
) -> list[tuple[int, int, int, int]]:
    """Sample, channel of the small image, that of the filter, and that of the large image."""
    samples, outs, within = shapes["narrow"][0], shapes["kernel"][0], shapes["kernel"][1]
    each = outs // groups
    found = []
    for n in range(samples) if known == "kernel" else [place[0]]:
        for outer in range(outs):
            for inner in range(within):
                channel = outer // each * within + inner
                here = {
                    "wide": (n, channel),
                    "narrow": (n, outer),
                    "kernel": (outer, inner),
                }[known]
                if here == place[:2]:
                    found.append((n, outer, inner, channel))
    return found
