"""Rows that are pictures, and inputs of more axes than rows and columns."""

import math

from engine.experiment.data_problem import DataProblem


def check_image(image: tuple[int, int] | None, columns: int) -> None:
    """Raise DataProblem where rows of so many numbers are no pictures of this height and width."""
    if image is not None and image[0] * image[1] != columns:
        height, width = image
        said = f"{height} × {width} is {height * width} numbers, but a row of x has {columns}"
        raise DataProblem("image", said)


def pictures(name: str, shape: tuple[int, ...]) -> str:
    """What to do with inputs of more axes than rows and columns."""
    rows, size = shape[0], math.prod(shape[1:])
    plane = shape[1:] if len(shape) == 3 else shape[1:3] if shape[3:] == (1,) else shape[2:]
    gray = len(shape) == 3 or (len(shape) == 4 and 1 in (shape[1], shape[3]))
    said = f"{name} has shape {shape}; it must be (rows, columns)"
    if gray and len(plane) == 2:
        return f"{said}: image = [{plane[0]}, {plane[1]}] reads such pictures as {size} columns"
    return f"{said}: {name}.reshape({rows}, {size}) makes flat rows of them"
