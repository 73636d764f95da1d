"""How far a long run has come."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a long run is: the cursor, the last loss, and what stops have logged since."""

    event: int
    loss: float | None
    logs: tuple[str, ...] = ()
