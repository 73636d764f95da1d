"""An op as it is shown: its formula in columns, sizes and numbers under the factors."""

import numpy as np
import pytest

from engine.debugger import Debugger
from engine.session.session import Session
from tests.engine.small_experiments import built_in
from tests.tui.lines import text_of
from tui.render.op import next_line, op_height, op_lines, pieces_of, wanted_height
from tui.render.operands import corners
from tui.render.text.line import width_of
from tui.render.variables import Summaries
from tui.view.snapshot import Selection, View, snapshot


def at(name: str, event: int, **selection: object) -> View:
    session = Session(built_in(name))
    session.goto(event)
    return snapshot(Debugger(session), Selection(**selection))


def shown(view: View, width: int = 78, height: int = 6) -> list[str]:
    lines = op_lines(view, width, height, Summaries())
    assert {width_of(line) for line in lines} == {width}
    assert len(lines) <= height
    return [text_of(line).rstrip() for line in lines]


def test_a_product_stands_over_the_matrices_as_the_formula_has_them():
    assert shown(at("regression", 5)) == [
        " ✓ z₁  =       x                W⁽¹⁾ᵀ         +        b⁽¹⁾",
        "   4×4        4×3                3×4                     4",
        "         [ 0.5  -1   2] [ 0.5 -0.3  0.1 -0.4]   [0.1 0.2 -0.1 -0.2]",
        "         [   1 0.5  -1] [-0.2  0.4  0.3 -0.1]",
        "         [-1.5   1 0.5] [ 0.1  0.2 -0.5  0.3]",
        "         [-0.5  -2  -1]",
    ]


def test_brackets_of_one_tensor_belong_to_it_and_turn_it():
    assert shown(at("regression", 12))[:4] == [
        " ✓ ∂ℓ/∂W⁽²⁾ +=         (∂ℓ/∂z₃)ᵀ                  z₂",
        "     2×4                  2×4                     4×4",
        "               [   -1 -1.06 -0.81  0.38] [0.75 0.05    0  0.3]",
        "               [-0.36 -2.31 -0.69 -0.29] [ 0.4    0 0.65    0]",
    ]


def test_an_operand_is_what_the_op_read_and_not_what_it_has_become():
    view = at("regression", 18)
    first = built_in("regression").initial()["linear1.weight"]
    _, sizes, *rows = shown(view)
    assert sizes.split() == ["4×3", "4×3", "0.05", "4×3"]
    assert rows[0].startswith("          [ 0.5 -0.2  0.1]")
    assert first[0].tolist() == [0.5, -0.2, 0.1]
    assert view.tensors["linear1.weight"][0].tolist() != first[0].tolist()


def test_letters_of_sizes_have_their_numbers_below():
    formula, sizes, *_ = shown(at("classification-bce", 9))
    for letter, number in (("N", "4"), ("K", "2")):
        assert sizes[formula.index(letter)] == number


def test_what_has_many_numbers_shows_a_corner_of_them():
    lines = shown(at("digits", 5), 72)
    assert lines[1].split() == ["64×32", "64×64", "64×32", "32"]
    assert lines[2].count("…]") == 3
    assert lines[5].split() == ["⋮", "⋮"]


def test_more_than_two_axes_are_a_range_and_a_long_rule_is_cut_at_its_clauses():
    view = at("cnn-digits", 7)
    assert shown(view, 72)[2].strip() == "-1.247..0.8483"
    adam = shown(at("cnn-digits", 23), 72)
    assert adam[0].endswith("m̂ / (√v̂ +   ε  ), …")
    assert "m̂ / (" in adam[0], "m̂ is not the tensor m"


@pytest.mark.parametrize("name", ["regression", "digits", "cnn-digits", "lstm"])
def test_every_op_fits_every_room(name):
    session = Session(built_in(name))
    debugger, summaries = Debugger(session), Summaries()
    for _ in range(len(session.listing) + 1):
        view = snapshot(debugger, Selection())
        for width, height in ((10, 2), (40, 3), (78, 6), (150, 10)):
            lines = op_lines(view, width, height, summaries)
            assert len(lines) <= height
            assert {width_of(line) for line in lines} == {width}
        session.step(3)


def test_the_op_about_to_be_done_has_its_operands_and_one_to_come_has_none():
    ops = built_in("regression").ops
    following = at("regression", 4, tensor="linear1.out", row=4)
    assert following.shown is not None
    assert following.shown.standing == "next"
    lines = shown(following)
    assert lines[0].startswith(" ▶ z₁")
    assert "[ 0.5  -1   2]" in lines[2]
    later = shown(at("regression", 4, tensor=ops[6].writes[0], row=6))
    assert later[0].startswith(" · z₃")
    assert len(later) == 2


def test_what_no_op_has_written_says_where_it_comes_from():
    assert shown(at("regression", 0)) == ["   the data give it: it enters with every iteration"]
    weight = shown(at("regression", 3, tensor="linear1.weight"))
    assert weight == ["   its first value: no op has moved it yet"]


def test_a_corner_grows_smaller_and_has_as_many_lines_as_it_may():
    matrix = np.arange(60.0).reshape(10, 6)
    blocks = corners(matrix, 4)
    widths = [block.width for block in blocks]
    assert widths == sorted(set(widths), reverse=True)
    assert blocks[0].rows[0] == "[ 0  1  2  3  4  5]"
    assert blocks[-1].rows == ("[ 0  1 …]", "[ 6  7 …]", "[12 13 …]", "    ⋮    ")
    assert corners(matrix, 2)[0].rows[1] == "[6 7 8 9 10 11]⋮"


def test_numbers_too_long_for_the_least_width_are_not_cut():
    (block,) = corners(np.array([[-1e-300]]), 2)
    assert block.rows == ("[-1e-300]",) or "#" not in block.rows[0]


def test_the_lines_of_an_op_are_those_that_its_program_needs():
    program = built_in("regression")
    listing = Session(program).listing
    assert op_height(program, listing, 40) == (6, 3)
    assert op_height(program, listing, 13) == (6, 2)
    assert op_height(program, listing, 5)[0] == 2
    assert op_height(program, listing, 40, most=1) == (1, 3)
    assert wanted_height(program, listing) == 14


def test_the_next_op_is_one_dim_line():
    line = next_line(at("regression", 5), 60)
    assert text_of(line) == " ▶ next  z₂ = (z₁)⁺                      (4, 4) from (4, 4) "
    assert {role for text, role in line if "next" in text} == {"dim"}


def test_a_formula_is_cut_at_its_tensors_alone():
    program = built_in("cnn-digits")
    pool = next(op for op in program.ops if op.name == "p")
    assert [one.name for one in pieces_of(program, pool, 80) if one.name] == ["p", "a"]
