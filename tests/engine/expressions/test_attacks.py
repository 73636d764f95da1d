"""Nothing but tensors and numbers can be reached from an expression, nor more than its bounds."""

import itertools
import sys
from contextlib import contextmanager
from unittest import mock

import numpy as np
import pytest

from engine.expressions import values as expression_values
from engine.expressions.expression import ExpressionError
from engine.expressions.values import TooCostly
from engine.functions.language import compile_expression
from tests.engine.memory import peak_of

COLUMN = np.broadcast_to(np.float64(1.0), (2**14, 1))
ROW = np.broadcast_to(np.float64(1.0), (1, 2**14))
TENSORS = {
    "x": np.arange(12.0).reshape(4, 3),
    "v": np.arange(4.0),
    "loss": 1.5,
    "linear1.weight": np.ones((2, 3)),
    "column": COLUMN,
    "row": ROW,
    "long": np.broadcast_to(1.0, 2**30),
    "wide": np.broadcast_to(1.0, (2**13, 2**13)),
    "rows": np.empty((2**40, 0)),
    "columns": np.empty((0, 2**40)),
    "many": np.broadcast_to(1.0, 2**22),
    "small": np.array([200], np.uint8),
}

ATTACKS = {
    # attributes and dunders
    "an attribute of a tensor": "x.base",
    "its memory": "x.data",
    "a method": "x.tofile",
    "a method that writes a file": "x.tofile('/tmp/gradstep-attack')",
    "a method that changes a tensor": "x.fill(0)",
    "a method of a number": "(1).bit_length()",
    "a method of a result": "abs(x).dump('/tmp/gradstep-attack')",
    "a class": "().__class__",
    "the classes of a tuple": "().__class__.__bases__[0].__subclasses__()",
    "the class of a tensor": "x.__class__",
    "the class below a tensor's name": "linear1.weight.__class__",
    "the globals of a function": "abs.__globals__",
    "a frame": "loss.gi_frame",
    "a dunder by itself": "__builtins__",
    "a debug constant": "__debug__",
    "a dunder in fullwidth letters": "x.__ｃｌａｓｓ__",
    "a dunder in mathematical letters": "x.__𝒄𝒍𝒂𝒔𝒔__",
    "a homoglyph of a tensor": "lоss > 1",
    "an attribute of an index": "x[0].real",
    "an attribute of tensor()": 'tensor("x").T',
    # calls
    "import": "__import__('os').system('true')",
    "eval": "eval('1')",
    "exec": "exec('1')",
    "open": "open('/etc/passwd')",
    "getattr": "getattr(x, 'tofile')",
    "globals": "globals()",
    "breakpoint": "breakpoint()",
    "a call of a call": "abs(x)(x)",
    "a call of an index": "x[0](1)",
    "a call of a number": "1(2)",
    "a call of a tensor": "x(1)",
    "a call of a choice": "(abs if loss else exp)(x)",
    "a function as a value": "where(loss, abs, exp)",
    "NumPy's loader": "np.load('a')",
    "NumPy's loader by name": "load('a')",
    # syntax
    "lambda": "(lambda: 1)()",
    "a list": "[1, 2]",
    "a tuple": "(1, 2)",
    "a set": "{1}",
    "a dictionary": "{1: 2}",
    "a list comprehension": "[i for i in x]",
    "a generator": "sum(i for i in x)",
    "an assignment expression": "(y := x)",
    "an assignment": "x = 1",
    "a statement": "import os",
    "two statements": "1; import os",
    "two lines": "1\nimport os",
    "a carriage return": "1\rimport os",
    "a form feed": "1\fimport os",
    "a line break at the end": "x\n",
    "a line separator": "x \u2028",
    "a null byte": "x\0",
    "a surrogate": "x\ud800",
    "a bidirectional override": "x\u202e > 1",
    "an escape sequence": "\x1b[31mx",
    "await": "await x",
    "yield": "(yield x)",
    "an unpacked argument": "abs(*x)",
    "an unpacked keyword": "sum(x, **x)",
    "an unpacked index": "x[*v]",
    "bit operations": "1 << 60",
    "bitwise not": "~x",
    "membership": "1 in x",
    "identity": "x is x",
    "None": "None",
    "an ellipsis": "...",
    "a new axis": "x[None]",
    "a mask": "x[x > 1]",
    "an index by a tensor": "x[v]",
    "an index by text": "x['T']",
    "an empty index": "x[()]",
    "a nested index": "x[(0, 1), 0]",
    "a slice of slices": "x[0:x:1]",
    "a slice alone": "abs(0:1)",
    "a complex number": "1j",
    # text
    "text": "'a'",
    "bytes": "b'a'",
    "a formatted text": "f'{x.__class__}'",
    "a percent format": "'%s' % x",
    "a format method": "'{0.__class__}'.format(x)",
    "a text bomb": "'a' * 999999999",
    "a computed name": "tensor('x' + 'y')",
    "a formatted name": "tensor(f'x')",
    "a bytes name": "tensor(b'x')",
    "an attribute in a quoted name": "tensor('x.__class__')",
    "two quoted names": "tensor('x', 'v')",
    "a keyword of tensor": "tensor(name='x')",
    "tensor without a name": "tensor()",
    # keywords and arity
    "an output tensor": "abs(x, out=x)",
    "an output keyword of a reduction": "sum(x, out=v)",
    "an output keyword that is a number": "sum(x, out=0)",
    "a dtype": "sum(x, dtype=x)",
    "a repeated keyword": "sum(x, axis=0, axis=1)",
    "an axis twice": "sum(x, 0, axis=0)",
    "an axis that is computed": "sum(x, axis=x)",
    "an axis that is None": "sum(x, axis=None)",
    "an axis that is True": "sum(x, axis=True)",
    "a tuple of axes": "sum(x, axis=(0, 1))",
    "a huge axis": "sum(x, axis=99999999999999999999)",
    "an axis where none is": "abs(x, axis=0)",
    "no argument": "norm()",
    "too many arguments": "norm(x, 0, 0)",
    # size
    "a long source": "loss" + " " * 1000,
    "too many parts": "1<" * 230 + "2",
    "a deep sum": " + ".join(["1"] * 50),
    "many signs": "-" * 900 + "1",
    "many nots": "not " * 240 + "x",
    "many brackets": "(" * 400 + "1" + ")" * 400,
    "open brackets": "[" * 900,
    "nested calls": "abs(" * 60 + "x" + ")" * 60,
    "nested indices": "x" + "[0]" * 90,
    "a long chain of attributes": "x" + ".a" * 400,
    "a long integer": "9" * 900,
    "a long hexadecimal integer": "0x" + "f" * 900,
    "a huge index": "x[99999999999999999999]",
    "an index out of bounds": "x[2 ** 62]",
    "an index beyond 64 bits": "x[2 ** 80]",
    # memory and time
    "an outer sum": "column + row",
    "an outer sum inside a reduction": "sum(column * row)",
    "an outer comparison": "any(column < row)",
    "an outer product": "column @ row",
    "an outer dot": "dot(column, row)",
    "an outer choice": "where(column > 0, row, 0)",
    "an outer bound": "clip(column, row, 2)",
    "a huge diagonal": "diag(column[:, 0])",
    "a long elementwise function": "exp(long)",
    "a long sign": "-long",
    "a long reduction": "sum(long)",
    "a long deviation": "std(long)",
    "a long norm": "norm(long)",
    "a long search": "argmax(long)",
    "a long similarity": "cos_similarity(long, long)",
    "a matrix product that takes minutes": "wide @ wide",
    "rows of nothing": "sum(rows, axis=1)",
    "a mean of rows of nothing": "mean(rows, axis=1)",
    "a product of nothing": "rows @ columns",
    "a sum of nothing": "norm(columns, axis=0)",
    "much work": " + ".join(["sum(wide[:4096])"] * 20),
    "an integer that does not fit": "small + 256",
}


class Audit:
    """What Python itself reports of opened files, imports, processes and executed code."""

    def __init__(self):
        self.events = None
        sys.addaudithook(self.hook)  # stays for the life of the process, hence one for all tests

    def hook(self, event, arguments):
        if self.events is not None:
            self.events.append(event)

    @contextmanager
    def recorded(self):
        self.events = events = []
        try:
            yield events
        finally:
            self.events = None


AUDIT = Audit()


def evaluate(source):
    return compile_expression(source, TENSORS).evaluate(TENSORS.__getitem__)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused(attack):

    def work():
        with AUDIT.recorded() as events, pytest.raises(ExpressionError) as caught:
            evaluate(ATTACKS[attack])
        return events, caught

    (events, caught), peak = peak_of(work)
    assert set(events) <= {"compile"}, "more than parsing has happened"
    assert 0 <= caught.value.column <= len(ATTACKS[attack])
    assert all(line.isprintable() for line in str(caught.value).split("\n"))
    assert peak < 2**22


def test_the_audit_would_see_an_escape():
    with AUDIT.recorded() as events:
        eval("open('/dev/null').close()")
    assert {"compile", "exec", "open"} <= set(events)


POWERS = ["9**9**9**9", "10**1000000000", "(2**62)**(2**62)", "(0-9)**9**9", "2**2**2**2**2**2"]


@pytest.mark.parametrize("source", POWERS)
def test_a_power_bomb_is_a_double(source):
    assert type(evaluate(source)) is float


def test_the_bounds_hold_for_all_results_of_an_evaluation_together():
    expression = compile_expression("x + x + x + x", TENSORS)
    for name, limit in (("MAX_ELEMENTS", 24), ("MAX_WORK", 24)):
        refused = pytest.raises(ExpressionError, match=f"needs 36 element.* limit is {limit}")
        with mock.patch.object(expression_values, name, limit), refused:
            expression.evaluate(TENSORS.__getitem__)
        with mock.patch.object(expression_values, name, 36):
            np.testing.assert_array_equal(TENSORS["x"] * 4, expression.evaluate(TENSORS.get))


def test_a_matrix_product_costs_less_where_blas_does_it():
    for source, work in (("x @ transpose(x)", 30), ("x[::-1] @ transpose(x)", 72)):
        refused = pytest.raises(ExpressionError, match=f"needs {work} element operations")
        with mock.patch.object(expression_values, "MAX_WORK", work - 1), refused:
            evaluate(source)


def test_a_norm_takes_memory_only_for_a_tensor_with_gaps():
    with mock.patch.object(expression_values, "MAX_ELEMENTS", 6):
        assert evaluate("norm(x)") == pytest.approx(506**0.5)
        with pytest.raises(ExpressionError, match="needs 9 elements of memory"):
            evaluate("norm(x[:, ::2])")


def test_integers_stay_within_64_bits():
    for source in ("2**62 * 2**62 * 2**62", "-(2**63) - 2**63", "2**62 + 2**62 + 2**62"):
        assert type(evaluate(source)) is float
    for tensor, source in ((10**30, "n"), (np.array([2**64 - 1], "u8"), "n[0]")):
        big = compile_expression(source, "n").evaluate(lambda name, tensor=tensor: tensor)
        assert type(big) is float


def test_deep_recursion_around_an_expression_is_its_own_error():
    source = "-" * 30 + "abs(x[0] + 1)"
    compiled = compile_expression(source, TENSORS)

    def at_depth(left, operation):
        return at_depth(left - 1, operation) if left else operation()

    here, frame = 0, sys._getframe()
    while frame:
        here, frame = here + 1, frame.f_back
    for operation in (
        lambda: compile_expression(source, TENSORS),
        lambda: compiled.evaluate(TENSORS.get),
    ):
        outcomes = set()
        for spare in range(20, 150, 8):
            try:
                at_depth(sys.getrecursionlimit() - here - spare, operation)
                outcomes.add("done")
            except ExpressionError:
                outcomes.add("refused")
        assert outcomes == {"done", "refused"}


def test_tensors_are_left_as_they_were():
    before = TENSORS["x"].copy()
    for source in ("x + 1", "-x", "relu(x)", "clip(x, 0, 1)", "abs(x)", "round(x)", "norm(x)"):
        evaluate(source)
    np.testing.assert_array_equal(before, TENSORS["x"])


def test_numbers_near_zero_take_no_longer_than_others_may():
    """A product of denormals takes a hundred times as long: counting does not bound it."""
    ticks = itertools.count()

    def clock():
        return next(ticks) * 0.5

    tiny = {"x": np.full((1797, 64), 1e-310)}
    slow = compile_expression("sum(x @ transpose(x))", tiny)
    with mock.patch.object(expression_values, "clock", clock):
        with pytest.raises(TooCostly, match="takes longer than 2 s"):
            slow.evaluate(tiny.get)
        assert next(ticks) < 12  # it gave up between two pieces of the product


def test_an_evaluation_may_be_given_less_time():
    ticks = itertools.count()
    x = {"x": np.ones((300, 300))}
    many = compile_expression("+".join(["sum(x)"] * 20), x)

    def clock():
        return next(ticks) * 0.01

    assert many.evaluate(x.get) == 300 * 300 * 20
    with (
        mock.patch.object(expression_values, "clock", clock),
        pytest.raises(TooCostly, match=r"takes longer than 0\.02 s"),
    ):
        many.evaluate(x.get, 0.02)


@pytest.mark.parametrize(
    "shapes", [((1500, 70), (70, 1300)), ((3000, 400), (400,)), ((2, 9), (9, 3))]
)
def test_a_product_in_pieces_is_the_product(shapes):
    rng = np.random.default_rng(4)
    tensors = dict(zip("ab", (rng.normal(size=shape) for shape in shapes), strict=True))
    with mock.patch.object(expression_values, "clock", return_value=0.0):  # however long it takes
        found = compile_expression("a @ b", tensors).evaluate(tensors.get)
    np.testing.assert_allclose(found, tensors["a"] @ tensors["b"], rtol=1e-12, atol=1e-12)
