"""The tensors of a run as a tree: by layer, by the name before an index, by the line they are of.

A short run of layers has no groups: all of it can be seen at once.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from engine.run.op import TensorInfo
from engine.run.run import Run

GROUPS = (
    *("parameter", "activation", "mask", "buffer", "input"),
    *("target", "loss", "constant", "hyper"),
)
MANY = 8  # a group of more tensors is folded at first, and so many layers are seen without groups
FULL = 60  # of so many tensors every group is folded at first
PLACED = re.compile(r"(?P<base>.+?)\[(?P<place>-?\d+(?:, ?-?\d+)*)\]")
OPEN, FOLDED = "⊟ ", "⊞ "


@dataclass(frozen=True)
class TreeRow:
    """A tensor, the heading of a group, or a tensor that has others below it.

    ``key`` tells it from the others, ``within`` are the keys of the groups around it, from outside.
    """

    key: str
    label: str
    tensor: str | None
    members: tuple[str, ...]
    within: tuple[str, ...]


@dataclass
class Branch:
    """A row while the tree is made, with what is below it by key."""

    title: str
    tensor: str | None = None
    below: "dict[str, Branch]" = field(default_factory=dict)


def names_of(run: Run) -> list[str]:
    """The tensors of the listing: parameters first, each with its optimizer slots behind it.

    Gradients have no line: they stand beside what they belong to.
    """
    infos = [info for info in run.tensors.values() if info.role in GROUPS]
    slots: dict[str | None, list[str]] = {}
    for info in run.tensors.values():
        if info.role == "slot":
            slots.setdefault(info.slot_of, []).append(info.name)
    names: list[str] = []
    for info in sorted(infos, key=lambda info: GROUPS.index(info.role)):
        names += [info.name, *slots.get(info.name, [])]
    return names


def shown_name(info: TensorInfo) -> str:
    """A tensor's name in the listing; a slot stands under its parameter."""
    return f" └{info.name.rpartition('.')[2]}" if info.role == "slot" else info.name


@lru_cache(maxsize=4)
def tree_of(run: Run) -> tuple[TreeRow, ...]:
    """Every row of the tree, as it is with all groups unfolded."""
    grouping, root = Grouping(run), Branch("")
    for name in names_of(run):
        at = root
        for key, title in grouping.path(name):
            at = at.below.setdefault(key, Branch(title))
        own = at.below.setdefault(name, Branch(name))
        own.title, own.tensor = grouping.title(name), name
    return tuple(flat(root, ()))


class Grouping:
    """Which groups a tensor is in."""

    def __init__(self, run: Run) -> None:
        self.tensors = run.tensors
        layers = dict.fromkeys(info.layer for info in run.tensors.values() if info.layer)
        self.by_layer = len(layers) > MANY
        self.families: dict[tuple[str, str], list[str]] = {}
        for info in run.tensors.values():
            if info.role in GROUPS and (found := PLACED.fullmatch(info.name)):
                self.families.setdefault((info.role, found["base"]), []).append(found["place"])
        roles = [info.role for info in run.tensors.values()]
        self.constants = roles.count("constant")

    def path(self, name: str) -> list[tuple[str, str]]:
        """The keys and titles of the groups around a tensor, from outside."""
        info = self.tensors[name]
        if info.slot_of is not None:
            return self.path(info.slot_of)
        if self.by_layer and info.layer:
            return [(f"layer {info.layer}", info.layer)]
        if (owner := self.owner(info)) is not None:
            return [*self.path(owner), (owner, owner)]
        if info.role == "constant" and self.constants > 1:
            return [("constants", "constants")]
        found = PLACED.fullmatch(name)
        places = self.families.get((info.role, found["base"]), []) if found else []
        if found is None or len(places) < 2:
            return []
        whole = all(place.lstrip("-").isdigit() for place in places)
        ends = f"{places[0]}…{places[-1]}" if whole else "…"
        return [(f"{info.role} {found['base']}[", f"{found['base']}[{ends}]")]

    def owner(self, info: TensorInfo) -> str | None:
        """The line that a tensor is a piece of: z2 of z2.relu1."""
        owner = info.name.rpartition(".")[0]
        known = self.tensors.get(owner)
        both = known is not None and known.role == info.role == "activation"
        return owner if both else None

    def title(self, name: str) -> str:
        """A tensor's name in its group, where the heading says the beginning."""
        info = self.tensors[name]
        if info.slot_of is None and self.by_layer and info.layer:
            return name.removeprefix(f"{info.layer}.")
        if (owner := self.owner(info)) is not None:
            return f"└{name.removeprefix(owner + '.')}"
        return shown_name(info)


def flat(branch: Branch, within: tuple[str, ...]) -> list[TreeRow]:
    """The rows below a branch, each before those below it."""
    rows: list[TreeRow] = []
    for key, one in branch.below.items():
        inner = flat(one, (*within, key))
        members = tuple(row.tensor for row in inner if row.tensor is not None)
        label = " " * len(within) + one.title
        rows += [TreeRow(key, label, one.tensor, members, within), *inner]
    return rows


def is_open(run: Run, row: TreeRow, switched: frozenset[str]) -> bool:
    """Whether what is below a row is seen; ``switched`` are the keys of groups that were turned."""
    few = len(row.members) <= MANY and len(tree_of(run)) <= FULL
    return few != (row.key in switched)


@lru_cache(maxsize=16)
def shown_rows(run: Run, switched: frozenset[str], chosen: str) -> tuple[TreeRow, ...]:
    """The rows that are seen: all but those in folded groups; the ``chosen`` tensor always."""
    rows = tree_of(run)
    shut = {row.key for row in rows if row.members and not is_open(run, row, switched)}
    return tuple(row for row in rows if row.tensor == chosen or shut.isdisjoint(row.within))


def labelled(run: Run, row: TreeRow, switched: frozenset[str]) -> str:
    """The label of a row with the mark of a group, open or folded."""
    if not row.members:
        return row.label
    blanks = len(row.label) - len(row.label.lstrip(" "))
    mark = OPEN if is_open(run, row, switched) else FOLDED
    return row.label[:blanks] + mark + row.label[blanks:]
