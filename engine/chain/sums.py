"""The chain rule in a network of lines: a sum over paths, folded where all of them meet.

One path is a chain of factors. Up to ``MOST_PATHS`` are a sum of chains. More are folded at the
tensors through which all paths go: the product of the parts between these, each a single factor, or
a sum in brackets. A part that still has too many paths is a sum over the uses of its denominator,
each behind one operator, or is one operator itself; the paths of an operator are counted.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np

from engine.chain.chain import Chain, Factor, tensor
from engine.chain.flow import Flow, flow
from engine.chain.line_graph import Ways
from engine.chain.primals import Primals
from engine.errors import GradstepError
from engine.jacobian.structures import Identity, Zero
from engine.program.line_network import LineNetwork

MOST_PATHS = 8
Expand = Callable[[], tuple[Chain, ...]]


def line_chain(primals: Primals, of: str, wrt: str) -> Chain:
    """``∂of/∂wrt`` as a sum over paths.

    Raises GradstepError for unknown tensors, and for those of whole numbers.
    """
    program = primals.program
    assert isinstance(program.network, LineNetwork)
    of, wrt = tensor(program, of), tensor(program, wrt)
    for name in (of, wrt):
        if np.dtype(program.tensors[name].dtype).kind != "f":
            said = "class indices" if name == "y" else "whole numbers"
            raise GradstepError(f"{name} holds {said}, and nothing has a derivative by these")
    through = flow(primals, program.network)
    symbol = f"∂{primals.symbol(of)}/∂{primals.symbol(wrt)}"
    if of == wrt:
        shape = through.shape(of)
        return Chain(of, wrt, (Factor(symbol, of, wrt, Identity(shape, shape, primals.dtype)),))
    ways = through.ways(of, wrt)
    if ways is None:
        zero = Zero(through.shape(of), through.shape(wrt), primals.dtype)
        return Chain(of, wrt, (Factor(symbol, of, wrt, zero),), unread(through, of, wrt))
    return summed(through, ways)


def summed(through: Flow, ways: Ways) -> Chain:
    """All paths between two tensors: one chain, a sum of them, or a product of such sums."""
    whole = through.jacobian(ways)
    of, wrt = ways.of, ways.wrt
    if ways.count == 1:
        (path,) = ways.paths()
        return replace(along(through, path), whole=whole)
    if ways.count <= MOST_PATHS:
        paths = all_along(through, ways)
        only = Factor(symbol_of(through, of, wrt), of, wrt, whole, count=ways.count)
        return Chain(of, wrt, (only,), paths=paths, whole=whole)
    return Chain(of, wrt, tuple(folded(through, part) for part in ways.parts), whole=whole)


def along(through: Flow, path: tuple[str, ...]) -> Chain:
    """The chain of one path, of its tensors from left to right."""
    return Chain(path[0], path[-1], tuple(edge(through, a, b) for a, b in pairwise(path)))


def edge(through: Flow, of: str, wrt: str) -> Factor:
    """The factor of one line by one tensor that it reads."""
    return Factor(symbol_of(through, of, wrt), of, wrt, through.jacobian(through.line(of, wrt)))


def folded(through: Flow, ways: Ways) -> Factor:
    """The paths between two tensors through which all go, as one factor."""
    of, wrt = ways.of, ways.wrt
    if ways.count == 1:
        return edge(through, of, wrt)
    if ways.count <= MOST_PATHS:
        return total(through, ways, partial(all_along, through, ways))
    uses = [name for name, others in ways.edges.items() if wrt in others]
    if not 2 <= len(uses) <= MOST_PATHS:
        return total(through, ways)
    return total(through, ways, partial(uses_of, through, ways, uses))


def all_along(through: Flow, ways: Ways) -> tuple[Chain, ...]:
    """The chain of every path."""
    return tuple(along(through, path) for path in ways.paths())


def uses_of(through: Flow, ways: Ways, uses: list[str]) -> tuple[Chain, ...]:
    """For each line that reads the denominator, all paths to this line as one operator."""
    of, wrt = ways.of, ways.wrt
    found: list[Chain] = []
    for use in uses:
        last = edge(through, use, wrt)
        before = None if use == of else through.ways(of, use)
        if before is None:
            found.append(Chain(of, wrt, (last,)))
            continue
        firsts: tuple[Factor, ...] = (total(through, before),)
        if before.count == 1:
            (path,) = before.paths()
            firsts = along(through, path).factors
        found.append(Chain(of, wrt, (*firsts, last)))
    return tuple(found)


def total(through: Flow, ways: Ways, expand: Expand | None = None) -> Factor:
    """All paths between two tensors as one factor."""
    # With a straight d: along all paths, where ∂ is a line by what it reads.
    symbol = f"d{through.primals.symbol(ways.of)}/d{through.primals.symbol(ways.wrt)}"
    return Factor(symbol, ways.of, ways.wrt, through.jacobian(ways), expand, ways.count)


def symbol_of(through: Flow, of: str, wrt: str) -> str:
    """``∂z₂/∂z₁``."""
    return f"∂{through.primals.symbol(of)}/∂{through.primals.symbol(wrt)}"


def unread(through: Flow, of: str, wrt: str) -> str:
    """Why a tensor does not depend on another one."""
    one, other = through.primals.symbol(of), through.primals.symbol(wrt)
    if of not in through.graph.lines:
        return f"{one} is given, not computed: it depends on no other tensor"
    if through.ways(wrt, of) is not None:
        return f"{one} is computed before {other} comes in: the other way round?"
    return f"{one} does not depend on {other}: no line on the way reads it"


def apart(primals: Primals, of: str, wrt: str) -> tuple[Primals, str]:
    """The primals of the sample where the lines keep it by itself.

    Those of the whole batch where a line mixes the samples, with a note that says which.
    """
    program = primals.program
    if primals.sample is None or not isinstance(program.network, LineNetwork):
        return primals, ""
    through = flow(primals, program.network)
    of, wrt = tensor(program, of), tensor(program, wrt)
    ways = through.ways(of, wrt)
    name = "" if ways is None else through.mixing(ways)
    if name:
        note = f"the whole batch is shown: {primals.symbol(name)} mixes the samples"
        return replace(primals, sample=None), note
    if ways is None or not any(map(through.by_sample, (*ways.edges, wrt))):
        return primals, ""
    if of == program.loss:
        return primals, whose(through) if through.samples > 1 else ""
    if not (through.by_sample(of) or through.by_sample(wrt)):
        note = f"the whole batch is shown: {primals.symbol(of)} has no row for each sample"
        return replace(primals, sample=None), note
    return primals, ""


def whose(through: Flow) -> str:
    """That a derivative of the loss of the batch is the share of one sample."""
    return f"ℓ of the batch of {through.samples}, by sample {through.primals.sample} alone"
