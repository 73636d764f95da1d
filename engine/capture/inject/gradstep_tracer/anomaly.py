"""What anomaly mode keeps of the forward pass, without frames of ours.

``torch.autograd.set_detect_anomaly`` stores the Python stack with every node of the graph, and
prints it on stderr where that node's backward goes wrong. Of a traced call it holds our frame, and
after it the one that stands for the script's own.
"""

from __future__ import annotations

import os

HERE = f'  File "{os.path.dirname(os.path.abspath(__file__))}{os.sep}'
LISTENING = "in __torch_function__\n"
CALLING = '  File "<frozen importlib._bootstrap>", line '  # how our Module.__call__ is compiled
KEY = "traceback_"


def without_ours(stack: list) -> list:
    """The entries of a formatted stack that a plain run would have had."""
    kept, passing = [], False
    for entry in stack:
        if passing:
            passing = False
        elif entry.startswith(HERE):
            passing = LISTENING in entry
        elif not (entry.startswith(CALLING) and ", in __call__\n" in entry):
            kept.append(entry)
    return kept


def uncover(nodes: list) -> None:
    """Put the plain stack with every node that these lead to."""
    seen: set = set()
    todo = [node for node in nodes if node is not None]
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        todo += [nearer for nearer, _ in node.next_functions if nearer is not None]
        facts = node.metadata
        if isinstance(facts.get(KEY), list):
            facts[KEY] = without_ours(facts[KEY])
