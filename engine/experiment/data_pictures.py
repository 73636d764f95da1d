"""Inputs that are pictures, as rows or with axes of their own."""

import math

from engine.arrays import Array, Shape
from engine.experiment.data_problem import DataProblem


def check_image(image: tuple[int, int] | None, shape: Shape) -> None:
    """Raise DataProblem where x of this shape has no pictures of this height and width.

    They are rows (N, h·w), or have their own axes: (N, h, w), (N, C, h, w) or (N, h, w, C).
    """
    if image is None:
        return
    height, width = image
    if len(shape) <= 2:
        columns = math.prod(shape[1:])
        if height * width != columns:
            said = f"{height} × {width} is {height * width} numbers, but a row of x has {columns}"
            raise DataProblem("image", said)
    elif len(shape) > 4 or image not in (shape[-2:], shape[1:3]):
        said = f"x has shape {shape}, which has no pictures of {height} × {width}"
        raise DataProblem("image", f"{said}: (N, {height}, {width}) or (N, C, {height}, {width})")


def flat_pictures(x: Array, image: tuple[int, int]) -> Array:
    """Pictures of one channel (N, h, w), (N, h, w, 1) or (N, 1, h, w) as rows; others as are."""
    if x.shape[1:] in (image, (*image, 1), (1, *image)):
        return x.reshape(len(x), -1)
    return x


def rows_refusal(name: str, shape: Shape) -> str:
    """Why layers refuse an array of inputs of this shape, and what to do; empty for rows (N, n)."""
    said = f"{name} has shape {shape}; it must be (rows, columns)"
    if len(shape) > 2:
        return f"{said}: {pictures(name, shape)}; a flatten layer or lines take x as it is"
    return "" if len(shape) == 2 else f"{said}: {name}.reshape(-1, 1) makes one column"


def pictures(name: str, shape: Shape) -> str:
    """What makes rows and columns of inputs of more axes."""
    rows, size = shape[0], math.prod(shape[1:])
    plane = shape[1:] if len(shape) == 3 else shape[1:3] if shape[3:] == (1,) else shape[2:]
    gray = len(shape) == 3 or (len(shape) == 4 and 1 in (shape[1], shape[3]))
    if gray and len(plane) == 2:
        return f"image = [{plane[0]}, {plane[1]}] reads such pictures as {size} columns"
    return f"{name}.reshape({rows}, {size}) makes flat rows of them"
