"""A chain's factors multiplied as matrices."""

from numpy.testing import assert_allclose

from engine.chain.chain import Chain


def multiplied(chain: Chain):
    """The factors of a chain multiplied as matrices; a sum is added up, a bracket too."""
    if chain.paths:
        return sum(multiplied(path) for path in chain.paths)
    out = None
    for factor in chain.factors:
        matrix = factor.jacobian.to_dense()
        if factor.terms:
            assert_allclose(sum(multiplied(path) for path in factor.terms), matrix, atol=1e-10)
        out = matrix if out is None else out @ matrix
    return out
