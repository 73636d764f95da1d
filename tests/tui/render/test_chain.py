"""The chain pane as text: sizes that are never cut, both layouts, the batch, numbers that fit."""

import re
from itertools import pairwise

import numpy as np
import pytest

from engine.chain.query import complete_at
from engine.debugger import Debugger
from engine.jacobian.operator import Layout
from engine.session.session import Session
from tests.engine.small_experiments import built_in
from tests.tui.lines import text_of
from tui.keys.bound import bound
from tui.keys.table import EVERY
from tui.render.chain import chain_text
from tui.render.chain_numbers import SMALL, Room, shares
from tui.render.chain_table import fitting
from tui.render.text.line import width_of
from tui.view.derivative import Derivative
from tui.view.snapshot import Selection, View, snapshot

SIZES = re.compile(r"\((\d+)×(\d+)\)")


def seen(name: str = "regression", tensor: str = "linear1.weight", **derivative: object) -> View:
    program = built_in(name)
    session = Session(program)
    session.goto(complete_at(program))
    return snapshot(
        Debugger(session),
        Selection(tensor=tensor, derivative=Derivative(**derivative)),
        keys=bound(EVERY),
    )


def rows(
    view: View, width: int = 79, height: int = 18, alone: tuple[int, int] = (117, 34)
) -> list[str]:
    text = chain_text(view, Room(width, height, alone))
    assert {width_of(line) for line in text.lines} == {width}
    return [text_of(line).rstrip() for line in text.lines]


def table(lines: list[str]) -> list[str]:
    start = next(i for i, line in enumerate(lines) if line.startswith("   factor"))
    return lines[start : start + 6]


@pytest.mark.parametrize("width", range(24, 130, 3))
@pytest.mark.parametrize("layout", list(Layout))
def test_sizes_are_whole_or_not_there(width: int, layout: Layout) -> None:
    real = {"1×2", "2×2", "2×4", "4×4", "4×12", "1×4", "1×12"}
    real |= {"×".join(reversed(size.split("×"))) for size in real}
    for line in table(rows(seen(layout=layout), width))[1:]:
        found = re.findall(r"\S*×\S*", line)
        assert set(found) <= real, line
        assert found


def test_names_are_cut_first_then_the_symbol_goes_and_the_sizes_stay() -> None:
    view = seen(layout=Layout.GRADIENT)
    wide, cut, bare = (table(rows(view, width))[1] for width in (100, 79, 62))
    assert wide.endswith("linear1.out ← linear1.weight  12×4  kronecker  (∂ℓ/∂W⁽¹⁾)ᵀ 12×1")
    assert "linear1.out ← lin….weight" in cut
    assert cut.endswith("(∂ℓ/∂W⁽¹⁾)ᵀ 12×1")
    assert bare.endswith("12×4  kronecker  12×1")


@pytest.mark.parametrize("needed", [(10, 28, 4, 9, 10, 4), (12, 40, 9, 14, 12, 9)])
def test_the_columns_never_take_more_than_there_is(needed: tuple[int, ...]) -> None:
    for width in range(30, 140):
        widths = fitting(needed, width)
        assert widths.total <= width
        assert widths.cells[2] >= needed[2]


@pytest.mark.parametrize("width", [60, 79, 117])
def test_the_size_of_the_product_stands_under_its_symbol_in_both_layouts(width: int) -> None:
    for layout, sizes in ((Layout.NUMERATOR, ("1×12", "3×4")), (Layout.GRADIENT, ("12×1", "4×3"))):
        lines = rows(seen(layout=layout), width)
        products = [pair for pair in pairwise(lines) if re.match(r"  \(?∂ℓ/∂W⁽¹⁾\)?ᵀ? = ", pair[0])]
        assert [under.split()[0] for _, under in products] == [f"({size})" for size in sizes]
        for line, _ in products:  # the same separator everywhere
            factors = re.split(" +· +", line.partition(" = ")[2].strip())
            assert not [factor for factor in factors if " " in factor]


def test_a_batch_has_letters_and_says_where_the_product_is_written_out() -> None:
    text = "\n".join(rows(seen(sample=None), 117))
    assert "(1×NK)" in text
    assert "(NK×Nh)" in text
    assert "(Nh×hn)" in text  # a weight has no row for each sample
    assert "written out: for one sample, v" in text
    assert "written out, with W" in "\n".join(rows(seen(), 117))


def test_letters_multiply_to_the_numbers_in_a_batch() -> None:
    lines = rows(seen(sample=None), 117)
    at = next(i for i, line in enumerate(lines) if "(NK×Nh)" in line)
    count = {"N": 4, "n": 3, "h": 4, "K": 2, "1": 1}
    letters = re.findall(r"\(([NnhK1]+)×([NnhK1]+)\)", lines[at])
    expected = [tuple(int(np.prod([count[c] for c in side])) for side in pair) for pair in letters]
    assert expected == [(int(a), int(b)) for a, b in SIZES.findall(lines[at - 1])]


def test_numbers_fit_say_so_or_are_hopeless() -> None:
    view = seen()
    assert " in numbers: too wide here: z shows it alone" in rows(view)
    alone = rows(view, 117, 34)
    assert " in numbers" in alone
    assert any("= [ 0.492  -0.22      0  0.044]" in line for line in alone)
    narrow = rows(view, 79, 18, (79, 34))
    assert " in numbers: too wide for the screen; the chosen factor is below" in narrow
    said = " in numbers: 64×32 has no room beside the others; the chosen factor is below"
    assert said in rows(seen("digits"), 79, 18)


def test_a_factor_fills_the_room_that_there_is() -> None:
    weight = {"name": "digits", "factor": 1}  # ∂ŷ/∂z₂, 10×32

    def numbers(width: int, height: int) -> list[list[str]]:
        lines = rows(seen(**weight), width, height, (width, height))
        at = next(i for i, line in enumerate(lines) if "vjp" in line)
        found = [line.replace("… ", "…").split() for line in lines[at + 1 :]]
        return [line for line in found if re.match(r"-?\d", line[0])]

    small, large = numbers(79, 18), numbers(157, 60)
    assert len(small) == SMALL - 1 + 1  # a line says how many rows more there are
    assert len(large) == 10 + 1  # the factor, and one row of the product so far
    assert len(large[0]) > 1.8 * len(small[0])
    assert small[0][-2].startswith("…")


def test_a_factor_stands_as_the_layout_has_it() -> None:
    w2 = built_in("regression").initial()["linear2.weight"]
    for layout, shape in ((Layout.NUMERATOR, w2), (Layout.GRADIENT, w2.T)):
        lines = rows(seen(layout=layout, factor=2), 117, 60)
        at = next(i for i, line in enumerate(lines) if "vjp" in line)
        shown = [list(map(float, line.split())) for line in lines[at + 1 : at + 1 + len(shape)]]
        assert np.allclose(shown, shape)


def test_what_one_matrix_does_not_need_the_next_one_has() -> None:
    assert shares([4, 30], 40) == [4, 30]
    assert shares([30, 1], 25) == [24, 1]
    assert shares([30, 30], 40) == [20, 20]
    assert shares([30, 30], 3) == [SMALL, SMALL]


@pytest.mark.parametrize(
    ("name", "tensor", "sample", "said"),
    [
        ("classification-bce", "sigmoid2.out.grad", 0, "∂ℓ/∂ŷ of the batch: 1/N of this, N = 4"),
        ("classification-bce", "sigmoid2.out.grad", None, "one sample alone: N times this, N = 4"),
        ("classification-bce", "linear2.weight", 1, "the mean of this over its samples, N = 4"),
        ("classification-bce", "linear2.weight", None, "is the mean of its samples' own, N = 4"),
        ("regression", "identity1.out.grad", 0, "∂ℓ/∂ŷ of the batch: this as it is"),
    ],
)
def test_the_factor_between_a_sample_and_the_batch_is_named(name, tensor, sample, said) -> None:
    second = rows(seen(name, tensor, sample=sample), 100)[1]
    assert said in second
    assert second.endswith("  v shows it")


def test_what_is_no_derivative_of_the_loss_has_no_factor_to_name() -> None:
    assert "N" not in rows(seen("classification-bce", "sigmoid1.out"))[1]
