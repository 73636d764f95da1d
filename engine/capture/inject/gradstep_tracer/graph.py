"""The autograd graph behind the roots of a backward pass, in the words of the forward pass."""

from __future__ import annotations

from gradstep_tracer.reading import Produced, Reading, sequence_of

REARRANGE = (
    *("View", "UnsafeView", "Reshape", "Transpose", "T", "Clone"),
    *("Expand", "Squeeze", "Unsqueeze", "Split"),
)


def rearranges(name: str) -> bool:
    """Whether a node of this name computes nothing."""
    return name.rstrip("0123456789")[: -len("Backward")] in REARRANGE


class Owner:
    """Whose backward a node of the graph belongs to."""

    __slots__ = ("edges", "leaf", "node", "produced")

    def __init__(self, node, produced: Produced | None, leaf) -> None:
        self.node = node
        self.produced = produced
        self.leaf = leaf  # the parameter of an AccumulateGrad
        self.edges: list[tuple] = []  # which of its results goes to whom, as which output, viewed


class Graph:
    """The nodes that a backward pass can reach, and the edges that leave an op."""

    def __init__(self, reading: Reading, roots: list) -> None:
        self.reading = reading
        self.owners: dict = {}
        self.order: list[Owner] = []
        self.arrivals: dict[tuple, int] = {}  # of gradients: by (owner's node, output)
        self.through_views: set = set()
        self.kinds: dict[tuple, str] = {}  # of ops, by (op, place): the node that says what it is
        self.results: dict[tuple, list] = {}  # the op's results that backward comes through
        self.walk(roots)
        self.link()

    def walk(self, roots: list) -> None:
        """Find the nodes; one that nobody produced belongs to who uses it."""
        owners, reading = self.owners, self.reading
        todo = [(root, None) for root in roots]
        while todo:
            node, user = todo.pop()
            if node in owners:
                continue
            leaf = None
            produced = None
            if type(node).__name__ == "AccumulateGrad":
                leaf = node.variable
            else:
                produced = reading.producer(sequence_of(node)) or user
            owner = owners[node] = Owner(node, produced, leaf)
            self.order.append(owner)
            if produced is not None and produced.op is not None:
                self.describe(produced, node)
            inherited = produced if produced is not None and not produced.view else user
            for nearer, _ in node.next_functions:
                if nearer is not None and nearer not in owners:
                    todo.append((nearer, inherited))

    def describe(self, produced: Produced, node) -> None:
        """What an op's backward is called: its first node that does more than rearrange."""
        key = (produced.op.id, produced.place)
        name = node.name().rpartition("::")[2]
        held = self.kinds.get(key)
        if held is None or (rearranges(held) and not rearranges(name)):
            self.kinds[key] = name
        results = self.results.setdefault(key, [])
        results += [one for one in produced.numbers if one is not None and one not in results]

    def link(self) -> None:
        """The edges that go from one op to another or to a leaf."""
        for owner in self.order:
            produced = owner.produced
            if owner.leaf is not None or (produced is not None and produced.view):
                continue
            for index, (nearer, into) in enumerate(owner.node.next_functions):
                if nearer is None:
                    continue
                target, output, viewed = self.resolved(nearer, into)
                if target is None:
                    continue
                inside = target.produced is not None and produced is not None
                if target.leaf is None and inside and not self.arrives(target, output, produced):
                    continue
                key = (target.node, output)
                self.arrivals[key] = self.arrivals.get(key, 0) + 1
                if viewed:
                    self.through_views.add(key)
                owner.edges.append((index, target, output, viewed))

    @staticmethod
    def arrives(target: Owner, output: int, produced: Produced) -> bool:
        """Whether an edge to a node gives the gradient of a tensor with a number."""
        found = target.produced
        if found.op is produced.op and found.place == produced.place:
            return False
        return output < len(found.numbers) and found.numbers[output] is not None

    def resolved(self, node, output: int) -> tuple:
        """Who gets a gradient in the end: views only hand it on."""
        viewed = False
        owner = self.owners.get(node)
        while owner is not None and owner.produced is not None and owner.produced.view:
            nearer = owner.node.next_functions
            if owner.leaf is not None or not nearer or nearer[0][0] is None:
                return None, 0, False
            node, output = nearer[0]
            owner, viewed = self.owners.get(node), True
        return owner, output, viewed
