"""The tensors of a run as a tree: which groups there are, and what is seen of them."""

from tests.engine.small_experiments import built_in, program
from tests.tui.line_experiments import lines_program, unrolled
from tui.render.tensor_tree import FULL, labelled, names_of, shown_rows, tree_of

NOTHING: frozenset[str] = frozenset()


def seen(run, switched=NOTHING, chosen="") -> list[str]:
    return [labelled(run, row, switched) for row in shown_rows(run, switched, chosen)]


def test_a_short_run_of_layers_has_no_groups() -> None:
    run = built_in("regression")
    assert [row.tensor for row in tree_of(run)] == names_of(run)
    assert not any(row.members for row in tree_of(run))


def test_the_tensors_of_a_loop_are_a_group_by_name() -> None:
    lines = seen(lines_program("gated"))
    assert lines[lines.index("⊟ h[-1…2]") :][:5] == [
        "⊟ h[-1…2]", " h[-1]", " h[0]", " h[1]", " h[2]",
    ]  # fmt: skip
    assert "⊟ c[0…2]" in lines
    assert "Wc" in lines
    assert " └exp_avg" in lines


def test_the_pieces_of_a_line_stand_under_it() -> None:
    lines = seen(lines_program("five relu"))
    assert lines[lines.index("⊟ z2") + 1] == " └relu1"
    assert lines[-3:] == ["loss", "lam", "optimizer.lr"]  # each role is a group of its own


def test_a_hundred_steps_are_a_line_for_each_name() -> None:
    run = unrolled(100)
    assert len(tree_of(run)) > 600 > FULL
    lines = seen(run)
    assert [one for one in lines if one.startswith("⊞")] == [
        "⊞ h[-1…99]", *(f"⊞ {name}[0…99]" for name in "uvgrm"),
    ]  # fmt: skip
    assert len(lines) == 6 + len(["Wx", "Wh", "x", "y", "loss", "optimizer.lr"])


def test_a_group_is_unfolded_and_the_chosen_tensor_is_always_seen() -> None:
    run = unrolled(100)
    key = next(row.key for row in tree_of(run) if row.label == "g[0…99]")
    assert len(seen(run, frozenset([key]))) == len(seen(run)) + 100
    lines = seen(run, chosen="g[57]")
    assert lines[lines.index("⊞ g[0…99]") + 1] == " g[57]"
    assert len(lines) == len(seen(run)) + 1


def test_many_layers_are_a_group_each_and_a_few_are_none() -> None:
    layers = [{"type": "linear", "out": 2}, {"type": "tanh"}] * 50
    run = program(layers=[*layers, {"type": "linear", "out": 1}])
    lines = seen(run)
    assert lines[:3] == ["⊞ linear1", "⊞ linear2", "⊞ linear3"]
    assert len(lines) == 101 + len(["x", "y", "loss", "optimizer.lr"])
    rows = {row.key: row for row in tree_of(run)}
    heading = rows["layer linear1"]
    assert heading.members == ("linear1.weight", "linear1.bias", "linear1.out")
    assert rows["linear1.weight"].label == " weight"
    few = program(layers=[{"type": "linear", "out": 2}, {"type": "linear", "out": 1}])
    assert not any(row.members for row in tree_of(few))
