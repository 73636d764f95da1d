"""One stop as plain data: what it waits for, and what it does then."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from engine.errors import GradstepError


class StopKind(StrEnum):
    """What a stop waits for: the place of a breakpoint, a watched value, or a predicate."""

    OP = "op"
    POSITION = "position"
    CHANGE = "change"
    CROSS = "cross"
    WHEN = "when"
    NAN = "nan"
    INF = "inf"
    NONFINITE = "nonfinite"
    GRADIENT_ABOVE = "gradient_above"
    GRADIENT_BELOW = "gradient_below"
    DEAD = "dead"
    UNMOVED = "unmoved"


# Each kind as the command that sets it; {inside} is the one tensor that a predicate looks at.
# the word of the command line, and what follows it
WORDING = {
    StopKind.OP: ("break", "{target}"),
    StopKind.POSITION: ("break", "{target}"),
    StopKind.CHANGE: ("watch", "{target}"),
    StopKind.CROSS: ("watch", "{target} crosses {bound!r}"),
    StopKind.WHEN: ("when", "{target}"),
    StopKind.NAN: ("watch", "any nan{inside}"),
    StopKind.INF: ("watch", "any inf{inside}"),
    StopKind.NONFINITE: ("watch", "any non-finite{inside}"),
    StopKind.GRADIENT_ABOVE: ("watch", "gradient above {bound!r}{inside}"),
    StopKind.GRADIENT_BELOW: ("watch", "gradient below {bound!r}{inside}"),
    StopKind.DEAD: ("watch", "dead{inside}"),
    StopKind.UNMOVED: ("watch", "unmoved{inside}"),
}
BOUNDED = (StopKind.CROSS, StopKind.GRADIENT_ABOVE, StopKind.GRADIENT_BELOW)
EXPRESSIONS = (StopKind.CHANGE, StopKind.CROSS, StopKind.WHEN)
BREAKPOINTS = (StopKind.OP, StopKind.POSITION)


@dataclass(frozen=True)
class Stop:
    """A stop. ``target`` is a phase, layer, op, position or expression, depending on the kind.

    ``condition`` must hold as well; the next ``ignore`` hits pass; ``once`` deletes it after its
    first stop; with ``log`` a message is printed instead, ``{expression}`` in it evaluated.
    """

    number: int
    kind: StopKind
    target: str = ""
    bound: float | None = None
    condition: str | None = None
    ignore: int = 0
    once: bool = False
    log: str | None = None
    enabled: bool = True
    hits: int = 0

    def __str__(self) -> str:
        word, _ = self.parts
        return f"{word} {self.aim}"

    @property
    def aim(self) -> str:
        """What it is about, without the word for its kind: ``linear2 if loss > 1``."""
        _, aim = self.parts
        return aim + (f" if {self.condition}" if self.condition else "")

    @property
    def parts(self) -> tuple[str, str]:
        """The word for its kind, and what it is about."""
        inside = f" in {self.target}" if self.target else ""
        word, aim = WORDING[self.kind]
        return word, aim.format(target=self.target, bound=self.bound or 0.0, inside=inside)

    @property
    def notes(self) -> list[str]:
        """What a list adds to its text: disabled, once, ignore, log, and how often it was hit."""
        said = [
            "" if self.enabled else "disabled",
            "once" if self.once else "",
            f"ignore {self.ignore}" if self.ignore else "",
            f"log {self.log!r}" if self.log is not None else "",
            f"hit {self.hits}×" if self.hits else "",
        ]
        return [note for note in said if note]


def stop_to_dict(stop: Stop) -> dict[str, Any]:
    """A stop as plain data; how often it was hit belongs to a run and is left out."""
    defaults = {field.name: field.default for field in fields(Stop)}
    data = {name: value for name, value in asdict(stop).items() if value != defaults[name]}
    data.pop("hits", None)
    return data | {"kind": str(stop.kind)}


# Saved stops may come with a recording: nothing in them is trusted.
TYPES: dict[str, tuple[type, ...]] = {
    "number": (int,),
    "target": (str,),
    "bound": (int, float, type(None)),
    "condition": (str, type(None)),
    "ignore": (int,),
    "once": (bool,),
    "log": (str, type(None)),
    "enabled": (bool,),
}


def stop_from_dict(data: Mapping[str, Any]) -> Stop:
    """A stop from plain data; a GradstepError names the field that is wrong."""
    values = dict(data)
    kind = values.pop("kind", None)
    if kind not in list(StopKind):
        raise GradstepError(f"stop: kind is {kind!r}; one of {', '.join(StopKind)} is needed")
    for name, value in values.items():
        if type(value) not in TYPES.get(name, ()):  # not isinstance: True is no number here
            raise GradstepError(f"stop: {name!r} cannot be {value!r:.60}")
    if "number" not in values:
        raise GradstepError("stop: its number is missing")
    return Stop(kind=StopKind(kind), **values)
