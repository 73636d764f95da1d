"""Which number is asked for: ``z1[0,1]``, and where it is explained by default."""

import re

from engine.chain.query import complete_at
from engine.errors import GradstepError
from engine.explain.values import Place
from engine.program.program import Program
from engine.run.phases import Phase
from engine.session.session import Session
from engine.wording import suggestion

INDEXED = re.compile(r"(?P<name>.*\S)\s*\[(?P<index>[-\d,\s]*)\]\s*\Z", re.DOTALL)


def asked(session: Session, text: str) -> tuple[str, Place | None]:
    """The tensor and the index that a text names; None for all of a tensor with axes.

    The longest name wins: ``h[2]`` is a tensor where a line is called so.
    """
    program, tensors = session.program, session.program.tensors
    text = text.strip()
    name = own_name(program, text)
    if name in tensors:
        return name, None if shape_of(session, name) else ()
    match = INDEXED.match(text)
    name = own_name(program, match["name"]) if match else text
    if match is None or name not in tensors:
        known = [*tensors, *session.program.aliases]
        wanted = match["name"] if match else text
        raise GradstepError(f"there is no tensor {wanted!r}{suggestion(wanted, known)}")
    numbers = [part.strip() for part in match["index"].split(",") if part.strip()]
    if not all(re.fullmatch(r"-?\d{1,18}", number) for number in numbers):
        raise GradstepError(f"{text}: an index is whole numbers, {name}[0,1]")
    return name, checked(session, name, tuple(int(number) for number in numbers))


def own_name(program: Program, text: str) -> str:
    """A tensor's own name, also for a slot of an alias: ``W1.momentum``."""
    name = program.resolve(text)
    owner, _, slot = text.rpartition(".")
    return name if name in program.tensors or not owner else f"{program.resolve(owner)}.{slot}"


def shape_of(session: Session, name: str) -> Place:
    """The shape of a tensor: as it is now, or as it is declared."""
    now = session.tensors.get(name)
    return session.program.tensors[name].shape if now is None else now.shape


def checked(session: Session, name: str, index: Place) -> Place:
    """The place of one element; last axes of size 1 may be left out. Raises GradstepError."""
    shape = shape_of(session, name)
    missing = shape[len(index) :]
    if len(index) > len(shape) or any(size != 1 for size in missing):
        raise GradstepError(f"{name} has shape {shape}: one element has {len(shape)} indices")
    for i, size in zip(index, shape, strict=False):
        if not -size <= i < size:
            raise GradstepError(f"{name} has shape {shape}: there is no index {i}")
    whole = (*index, *(0 for _ in missing))
    return tuple(i % size for i, size in zip(whole, shape, strict=True))


def explained_at(program: Program, text: str) -> int:
    """The event at which a tensor is explained by default, in the first iteration.

    It is before the update; where only the update writes the tensor, behind the op that does.
    """
    match = INDEXED.match(text)
    names = {own_name(program, one) for one in (text.strip(), match["name"] if match else "")}
    writing = [op for op in program.ops if names & set(op.writes)]
    if writing and all(op.phase == Phase.UPDATE for op in writing):
        return writing[-1].index + 1
    return complete_at(program)
