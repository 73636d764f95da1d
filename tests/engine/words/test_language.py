"""The words of the command line: what each does, in both directions, and its errors."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.debugger import Debugger
from engine.session.progress import Progress
from engine.strict_json import strict_json
from engine.words.command import CommandError
from engine.words.language import CommandLine, Result
from engine.words.table import COMMANDS, GROUPS
from tests.engine.plain_run import plain_run, same_tensors
from tests.engine.small_experiments import session_of
from tests.engine.words.line import PROGRAM, commands

OPS = len(PROGRAM.ops)  # 21: zero_grad 0-3, forward 4-7, loss 8, backward 9-16, update 17-20
STATES = plain_run(PROGRAM)


# Commands of one script, and the event the cursor then stands at.
MOVES = {
    "s": (["s"], 1),
    "step": (["step 3"], 3),
    "rs": (["20s", "rs"], 19),
    "rstep": (["20s", "5rstep"], 15),
    "n": (["n"], 4),
    "next": (["2 next"], 8),
    "rn": (["10s", "rn"], 9),
    "rnext": (["10s", "rnext 2"], 8),
    "f": (["f"], OPS),
    "finish": (["3 finish"], 3 * OPS),
    "rf": (["25s", "rf"], OPS),
    "rfinish": (["25s", "rfinish 2"], 0),
    "e": (["e"], 3 * OPS),
    "epoch": (["epoch 2"], 6 * OPS),
    "re": (["2e", "s", "re"], 6 * OPS),
    "repoch": (["2e", "repoch"], 3 * OPS),
    "c": (["b backward", "c"], 9),
    "continue": (["b backward", "2 continue"], OPS + 9),
    "rc": (["b backward", "goto 40", "rc"], OPS + 9),
    "reverse-continue": (["b backward", "goto 40", "2 reverse-continue"], 9),
    "until": (["until loss < 1"], None),
    "runtil": (["until iteration == 4", "f", "runtil iteration == 3"], 2 * OPS),
    "nc": (["nc linear1.weight"], 18),
    "next-change": (["nc linear1.weight", "next-change linear1.weight[1, 1]"], OPS + 18),
    "pc": (["goto 60", "pc linear1.weight"], OPS + 18),
    "previous-change": (["goto 60", "previous-change loss"], 2 * OPS + 9),
    "g": (["g i3:backward:linear2.weight.grad"], 2 * OPS + 11),
    "goto": (["goto e2", "goto -1"], 3 * OPS - 1),
    "t": (["t backward"], 9),
    "to": (["to update:linear2.bias", "to linear2.bias"], OPS + 20),
    "back": (["goto 10", "goto 30", "s", "back"], 10),
    "ahead": (["goto 10", "goto 30", "back", "back", "ahead"], 10),
    "b": (["b linear2.backward", "c"], 11),
    "break": (["break #7 if epoch == 1", "c"], 7),
    "tbreak": (["tbreak update", "c", "c"], 30 * OPS),
    "watch": (["watch linear1.weight[0,2] if iteration > 1", "c"], OPS + 18),
    "when": (["when event == 33", "c"], 33),
    "ignore": (["b loss", "ignore 1 2", "c"], 2 * OPS + 8),
    "condition": (["b loss", "condition 1 iteration > 2", "c"], 2 * OPS + 8),
    "enable": (["b loss", "disable 1", "enable all", "c"], 8),
    "disable": (["b loss", "b update", "disable 1", "c"], 17),
    "delete": (["b loss", "b update", "delete 1", "c"], 17),
    "d": (["b loss", "b update", "d all", "goto 5", "b backward", "c"], 9),
    "last": (["goto 33", "goto 5", "last"], 33),
    "toggle": (
        ["goto 4", "toggle", "toggle", "b loss", "toggle loss", "toggle update", "g 0", "c"],
        17,
    ),
    "once": (["b loss", "once 1", "c", "c"], 30 * OPS),
    "chapter": (["goto 9", "m", "goto 30", "m", "goto start", "chapter", "chapter"], 30),
    "rchapter": (["goto 9", "m", "goto 30", "m", "goto 40", "rchapter", "rchapter"], 9),
    "mark": (["goto 33", "mark here a text", "goto end", "goto 'here"], 33),
    "m": (["goto 33", "m", "goto end", "goto 'm1"], 33),
    "undo": (["20s", "set optimizer.lr = 0.5", "9s", "undo"], 20),
}


def test_undo_takes_back_the_last_changes() -> None:
    made = commands("20s", "set optimizer.lr = 0.5", "goto 10", "skip update", "2undo")
    assert made.debugger.event == 20
    assert [branch.name for branch in made.debugger.session.branches] == ["main"]
    assert same_tensors(made.debugger.session.tensors, STATES[20])
    told = commands("set optimizer.lr = 0.5", "s").execute("undo 5")
    assert told.data["undone"] == ["set optimizer.lr = 0.5"]
    assert told.lines[0] == "taken back: set optimizer.lr = 0.5"
    with pytest.raises(CommandError, match="nothing to undo"):
        commands("s").execute("undo")


BELOW_ZERO = {
    "20s, -5s": 15,
    "20s, s -5": 15,
    "20s, -5rs": 25,
    "2f, -1 finish": OPS,
    "b backward, goto 40, -1c": OPS + 9,
    "b backward, goto 40, rc -1": 2 * OPS + 9,
    "20s, -99999999999999999999s": 0,
}


@pytest.mark.parametrize("script", BELOW_ZERO)
def test_a_count_below_zero_goes_the_other_way(script: str) -> None:
    assert commands(*script.split(", ")).debugger.event == BELOW_ZERO[script]


@pytest.mark.parametrize("word", sorted(MOVES))
def test_where_a_script_ends(word: str) -> None:
    lines, expected = MOVES[word]
    assert any(line.lstrip("0123456789 ").split()[0] == word for line in lines)
    made = commands(*lines)
    if expected is None:
        expected = next(p for p, s in enumerate(STATES) if "loss" in s and s["loss"] < 1)
    assert made.debugger.session.event == expected
    assert same_tensors(made.debugger.session.tensors, STATES[expected])


@pytest.mark.parametrize("word", [word for word in sorted(MOVES) if COMMANDS[word].leads])
def test_where_a_line_leads_can_be_asked_without_going_there(word: str) -> None:
    lines, expected = MOVES[word]
    made = commands(*lines[:-1])
    session, jumps = made.debugger.session, made.debugger.jumps
    before = session.event, list(jumps.events), jumps.place
    assert made.leads(lines[-1]) == expected
    assert (session.event, jumps.events, jumps.place) == before


def test_where_a_run_leads_is_known_when_it_is_over() -> None:
    made = commands("b loss")
    assert [made.leads(line) for line in ("c", "rc", "until loss < 1", "p x", "", "# s")] == [
        None
    ] * 6


def test_going_where_the_cursor_is_leaves_nothing_behind() -> None:
    made = commands("goto 10", "goto 30", "back", "goto 10", "ahead")
    assert made.debugger.session.event == 30


# Lines that end in a command that answers, and what it says.
ANSWERS = {
    "p": (["8s", "p mean(linear1.weight) * 2"], "mean(linear1.weight) * 2 = "),
    "explain": (["5s", "explain z1[0,1]"], "= 0.5·(−0.3) + (−1)·0.4 + 2·0.2 + 0.2"),
    "print": (["print linear2.bias"], "linear2.bias (2,) float64\n  [ 0.1 -0.1]"),
    "assert": (["assert linear2.bias[0] == 0.1"], "holds: linear2.bias[0] == 0.1"),
    "worksheet": (["worksheet"], "# regression"),
    "versus": (["versus classification-bce"], "# regression → classification-bce"),
    "claim": (["claim dz3/dz2 = W2"], "dz3/dz2 right\n  claimed  W⁽²⁾\n           K×h"),
    "display": (["9s", "display loss"], "loss = "),
    "undisplay": (["display x", "display event", "undisplay x"], "event = 0"),
    "where": (["where"], "#0 i1:zero_grad:linear1.weight.grad"),
    "w": (["9s", "w"], "loss 2.2375"),
    "list": (["9s", "b update", "skip update", "list"], "▶  ∂ℓ/∂ŷ"),
    "l": (["skip update", "l"], "W⁽¹⁾ ← W⁽¹⁾ − η ∂ℓ/∂W⁽¹⁾  (skipped)"),
    "info": (["b loss if loss > 1", "info stops"], "stop 1: break loss if loss > 1"),
    "i": (["9s", "i tensors"], "linear1.weight.grad (4, 3) zeroed"),
    "log": (["log loss at {iteration}: {event}", "goto 0", "until iteration == 3"], "holds here"),
    "set": (["set optimizer.lr = 0.01"], "set optimizer.lr = 0.01, in branch main"),
    "skip": (["skip zero_grad always"], "skip zero_grad always, in branch main"),
    "unskip": (["skip zero_grad always", "f", "unskip zero_grad"], "zero_grad runs again"),
    "branch": (["9s", "branch try"], "* try from main at #9, known up to #9"),
    "switch": (["branch try", "switch main"], "* main, known up to #0"),
    "compare": (
        ["2f", "goto 5", "set linear1.bias[1] = 9", "f", "compare main"],
        "main and main-1 differ first at #5 i1:forward:relu1.out: linear1.bias[1]: 0.2 → 9",
    ),
    "unmark": (["mark a", "unmark a"], "removed 'a"),
    "unfold": (["help unfold"], "[LINE…|all]"),
    "open": (["open xor"], "opened: xor"),
    "reload": (["help reload"], "read the experiment file again"),
    "refold": (["help refold"], "or fold it again"),
    "fold": (["help fold"], "by default all"),
    "eval": (["9s", "eval"], "evaluation over the training rows"),
    "evaluate": (["evaluate"], "#0 i1:forward:linear1.out"),
    "leave": (["9s", "eval", "leave"], "#9 i1:backward"),
    "help": (["help watch"], "watch EXPRESSION [crosses X]"),
    "h": (["h"], "until any non-finite"),
}
ANSWERS["log"] = (["log loss at {iteration}: {event}", "f", "g 0", "c"], "at 1: 8\nat 2: 29")


@pytest.mark.parametrize("word", sorted(ANSWERS))
def test_what_a_command_says(word: str) -> None:
    lines, said = ANSWERS[word]
    made = commands(*lines[:-1])
    result = made.execute(lines[-1])
    assert said in "\n".join(result.lines)
    assert result.ok
    assert strict_json(result.data)


def test_every_word_has_a_script() -> None:
    assert set(COMMANDS) == set(MOVES) | set(ANSWERS)
    assert sum(len(command.names) for group in GROUPS.values() for command in group) == len(
        COMMANDS
    )


def test_info_knows_its_topics() -> None:
    made = commands("b loss", "display x", "mark a b", "set optimizer.lr = 1", "9s")
    topics = {"stops", "watches", "bookmarks", "branches", "edits", "tensors"}
    for topic in topics:
        result = made.execute(f"info {topic}")
        assert len(result.data[topic]) >= 1
    assert made.execute("info edits").lines == (
        "#0 i1:zero_grad:linear1.weight.grad: set optimizer.lr = 1.0",
    )


def test_set_takes_numbers_lists_and_expressions() -> None:
    made = commands(
        "set linear2.bias = [1, 2]",
        "set linear1.weight[0, 1:] = 7",
        "set linear1.bias = linear1.bias * 2",
    )
    tensors = made.debugger.session.tensors
    assert tensors["linear2.bias"].tolist() == [1, 2]
    assert tensors["linear1.weight"][0].tolist() == [0.5, 7, 7]
    assert tensors["linear1.bias"].tolist() == [0.2, 0.4, -0.2, -0.4]


def test_editing_the_past_says_that_the_original_stays() -> None:
    made = commands("2f", "goto 5")
    (first, _) = made.execute("set linear1.bias[0] = 1").lines
    assert first.endswith("in branch main-1 (started from main, which stays as it is)")
    made.execute("set linear1.bias[1] = 1")
    assert len(made.debugger.session.branches) == 2
    made.execute("switch main")
    made.execute("goto 42")
    assert same_tensors(made.debugger.session.tensors, STATES[42])


def test_an_assertion_that_does_not_hold_is_a_no() -> None:
    made = commands("9s")
    result = made.execute("assert loss < 1")
    assert not result.ok
    assert result.lines == (
        "assertion failed at #9 i1:backward:identity1.out.grad  ∂ℓ/∂ŷ = 2(ŷ − y)  loss 2.2375"
        ": loss < 1",
    )
    assert not commands().execute("assert loss < 1").ok  # not computed yet


def test_the_first_non_finite_op_of_an_explosion_in_one_command() -> None:
    made = CommandLine(Debugger(session_of("bug-exploding")))
    result = made.execute("until any non-finite")
    (hit,) = result.data["hits"]
    assert (hit["tensor"], hit["after"]) == ("loss", float("inf"))
    states = plain_run(made.debugger.session.program)
    finite = [all(abs(t).max() < float("inf") for t in s.values()) for s in states]
    assert finite.index(False) == made.debugger.session.event


@pytest.mark.parametrize("stop", ["b linear2.backward if loss > 2", "tbreak #41", "watch x"])
def test_a_stop_as_it_is_listed_sets_the_same_stop(stop: str) -> None:
    lines = ["watch loss crosses 0.5", "when loss < 1", "watch any inf in loss", "watch dead"]
    lines += ["watch gradient above 3.0 in linear1.weight.grad", "watch unmoved", stop]
    made = commands(*lines)
    again = commands(*(str(each) for each in made.debugger.stops))
    plain = [dict(each, once=False) for each in made.debugger.stops.to_list()]
    assert [dict(each, once=False) for each in again.debugger.stops.to_list()] == plain


ERRORS = [
    ("frobnicate", 0, "no command 'frobnicate'"),
    ("contnue", 0, "did you mean continue"),
    ("re-", 0, "may be|no command"),
    ("3p loss", 0, "takes no count"),
    ("3s 4", 3, "a count already"),
    ("20", 0, "20 of what\\? a step follows: 20s, 20n, 20f"),
    ("s x", 2, "must be a whole number"),
    ("c now", 2, "the count must be a whole number"),
    ("b bakward", 2, "did you mean backward"),
    ("b loss if", 6, "a condition is missing"),
    ("b loss if los > 1", 10, "did you mean loss"),
    ("b loss if  loss >", 17, "invalid syntax"),
    ("b i99", 2, "iterations 1 to 30"),
    ("watch", 5, "watch what"),
    ("watch any pigs", 10, "any nan, any inf or any non-finite"),
    ("watch gradient over 5", 6, "gradient above X"),
    ("watch gradient above x", 21, "must be a number"),
    ("watch loss crosses x", 19, "must be a number"),
    ("watch any nan on x", 14, "only `in TENSOR`"),
    ("until", 5, "until what"),
    ("until loss <> 1", 11, "invalid syntax"),
    ("until any nan in lss", 6, "no tensor 'lss'"),
    ("goto i3:bakward", 5, "did you mean backward"),
    ("goto", 4, "where to"),
    ("to nowhere", 3, "no op called"),
    ("p loss", 2, "not computed yet"),
    ("p linear1.weight @ x", 17, "do not conform"),
    ("p ", 2, "an expression is missing"),
    ("assert linear1.weight > 0", 7, "any"),
    ("set linear1.weight[9,9] = 1", 4, "shape"),
    ("set linear1.weight[a] = 1", 19, "whole numbers and slices"),
    ("set optimizer.lr", 4, "set TENSOR = VALUE"),
    ("set optimizer.lr = 1 +", 22, "invalid syntax"),
    ("set linear1.bias = [1, 2", 24, "a list is written"),
    ("skip", 4, "skip PHASE"),
    ("skip forward", 5, "loss needs forward"),
    ("ignore 1 1", 7, "no stop 1"),
    ("delete 7", 7, "no stop 7; there are: none"),
    ("delete", 6, "which stops"),
    ("log loss", 4, "log TARGET MESSAGE"),
    ("log loss x {lss}", 12, "did you mean loss"),
    ("mark a/b", 5, "letters, digits"),
    ("switch nowhere", 7, "there are: main"),
    ("compare main nowhere", 13, "no branch"),
    ("info", 4, "info about one of"),
    ("help frob", 5, "no command"),
    ("back", 4, "no place before"),
    ("last one", 5, "nothing is expected here"),
    ("chapter", 7, "no bookmarks yet"),
    ("rchapter 2", 9, "nothing is expected here"),
    ("toggle bakward", 7, "did you mean backward"),
    ("once 7", 5, "no stop 7; there are: none"),
    ("s;s", 1, "a blank is missing"),
]


@pytest.mark.parametrize(("line", "column", "said"), ERRORS)
def test_errors_name_the_column(line: str, column: int, said: str) -> None:
    made = commands()
    before = dict(made.debugger.session.tensors)
    with pytest.raises(CommandError, match=said) as error:
        made.execute(line)
    assert error.value.column == column
    caret = str(error.value).splitlines()[1]
    assert caret.index("^") == column
    assert same_tensors(made.debugger.session.tensors, before)
    assert len(made.debugger.stops) == 0


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("go", ["goto"]),
        ("goto i", []),
        ("goto upd", ["goto update", "goto update:linear1.weight"]),
        ("b linear2.b", ["b linear2.backward", "b linear2.bias.grad", "b linear2.bias"]),
        ("b loss if linear2.w", ["b loss if linear2.weight", "b loss if linear2.weight.grad"]),
        ("p 1 + iter", ["p 1 + iteration"]),
        ("p nor", ["p norm("]),
        ("until any n", ["until any nan", "until any non-finite"]),
        ("skip z", ["skip zero_grad"]),
        ("delete ", ["delete 1", "delete all"]),
        ("info st", ["info stops"]),
        ("help unt", ["help until"]),
        ("set optimizer.", ["set optimizer.lr"]),
        ("switch m", ["switch main"]),
        ("goto 'h", ["goto 'here"]),
        ("xyz ", []),
    ],
)
def test_completion(start: str, found: list[str]) -> None:
    made = commands("b loss", "mark here")
    completed = made.complete(start + "tail", len(start))
    assert completed[: len(found)] == found
    assert bool(completed) == bool(found)


def test_watches_are_completed_from_their_beginning() -> None:
    made = commands("display loss", "display event")
    assert made.complete("undisplay lo") == ["undisplay loss"]
    assert made.complete("undisplay zzz") == []


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(sorted(COMMANDS)).flatmap(
            lambda word: st.text("loss 12[]()=.:#'%>+any", max_size=20).map(
                lambda rest: f"{word} {rest}"
            )
        ),
    )
)
def test_any_line_is_a_result_or_an_error_with_a_column(line: str) -> None:
    try:
        result: Result | None = commands("9s").execute(line)
        column = 0
    except CommandError as error:
        result, column = None, error.column
    assert 0 <= column <= len(line)
    assert result is None or strict_json(result.data)


@given(st.text(max_size=30))
@settings(deadline=None)
def test_completing_anything_gives_longer_lines(line: str) -> None:
    assert all(isinstance(each, str) for each in commands().complete(line))


def test_a_long_run_shows_progress_and_can_be_left() -> None:
    made = commands()
    run = made.run("goto end")
    first = next(run)
    assert isinstance(first, Progress)
    assert first.event == made.debugger.session.event > 0
    run.close()  # type: ignore[attr-defined]
    assert same_tensors(made.debugger.session.tensors, STATES[made.debugger.session.event])


def test_blank_lines_and_comments_do_nothing() -> None:
    made = commands()
    assert [made.execute(line).word for line in ("", "   ", "# goto end")] == ["", "", ""]
    assert made.debugger.session.event == 0
