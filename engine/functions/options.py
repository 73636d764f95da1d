"""What an option of a function may be: the same domains for a file's fields and for the code."""

from typing import Annotated

from msgspec import Meta

Positive = Annotated[float, Meta(gt=0)]
NonNegative = Annotated[float, Meta(ge=0)]
Probability = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1, le=2**31)]
Natural = Annotated[int, Meta(ge=0, le=2**31)]
Few = Annotated[int, Meta(ge=1, le=100)]
ClassIndex = Annotated[int, Meta(ge=-(2**31), le=2**31)]
Weights = tuple[float, ...]

INFERRED = "inferred"  # marks a field that the data decide, and no file
