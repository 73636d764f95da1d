"""Questions: what is right, what is wrong and why, and the right answer of each."""

import pytest

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.lesson.own_words import read_ask
from engine.lesson.question import Judged, Question
from engine.session.session import Session
from tests.engine.run.captured import captured
from tests.engine.small_experiments import built_in

BACKWARD = 9  # in regression: forward and the loss are done


def question(line: str, event: int = BACKWARD) -> Question:
    session = Session(built_in("regression"))
    session.goto(event)
    return Question(read_ask(f"ask {line}", 1), Debugger(session))


@pytest.mark.parametrize(
    ("line", "right", "wrong"),
    [
        ('"?" = shape(W1.grad)', ("4×3", "4x3", "(4, 3)", "h×n"), ("2×4", "4", "12")),
        ('"?" = shape(dz2/dz1)', ("h×h", "4×4"), ("h×n", "4×3")),
        ('"?" = loss', ("2.2375", "2.24", "2,2375", "2.2375 + 0"), ("2.1", "-2.2375", "3")),
        ('"?" = loss within 5%', ("2.3", "2.14"), ("2.4", "2.1")),
        ('"?" = loss within 0.5', ("2.5", "1.9"), ("3", "1.7")),
        ('"?" = loss > 2', ("yes", "True"), ("no",)),
        ('"?" = b2', ("[0.1, -0.1]", "[[0.1, -0.1]]"), ("[0, 0]", "[1]")),
        ('"?" = "backward" of "forward", "backward"', ("backward", "b", "Back"), ("a", "forward")),
        ('"?" = "weight decay"', ("Weight  Decay",), ("decay",)),
        ('"∂ℓ/∂W⁽¹⁾ ="',
         ("x dl/dyhat dyhat/dz3 W2 dz2/dz1", "x · ∂ℓ/∂ŷ · ∂ŷ/∂z₃ · W⁽²⁾ · ∂z₂/∂z₁"),
         ("x dl/dyhat dyhat/dz3 dz2/dz1", "3")),
        ('"So what is ∂ℓ/∂b⁽²⁾ ="', ("dl/dyhat dyhat/dz3",), ("dl/dyhat W2",)),
    ],
)  # fmt: skip
def test_answers_are_judged(line: str, right: tuple[str, ...], wrong: tuple[str, ...]) -> None:
    asked = question(line)
    assert [said for said in right if not asked.judge(said).right] == []
    assert [said for said in wrong if asked.judge(said).right] == []


@pytest.mark.parametrize(
    ("line", "own"),
    [
        ('"?" = shape(W1.grad)', "4×3"),
        ('"?" = shape(dz2/dz1)', "h×h"),
        ('"?" = loss', "2.2375"),
        ('"?" = loss > 2', "yes"),
        ('"?" = b2', "[0.1, -0.1]"),
        ('"?" = "b" of "a", "b"', "b"),
        ('"?" = "word"', "word"),
        ('"∂ℓ/∂W⁽¹⁾ ="', "x · ∂ℓ/∂ŷ · ∂ŷ/∂z₃ · W⁽²⁾ · ∂z₂/∂z₁"),
        ('"∂z₂/∂z₁ ="', "1 if i = j and z₁ᵢ > 0, else 0"),
        ('"dl/db2 =" = "2 (yhat - y)ᵀ"', "2 (yhat - y)ᵀ"),
    ],
)
def test_the_right_answer_is_taken(line: str, own: str) -> None:
    asked = question(line)
    assert (asked.right, asked.judge(own).right) == (own, True)


def test_a_right_answer_of_the_author_that_is_wrong_is_told_and_refused() -> None:
    asked = question('"∂ℓ/∂W⁽¹⁾ =" = "W2 x"')
    assert (asked.right, asked.told) == ("", "W2 x")
    assert not asked.judge("W2 x").right


@pytest.mark.parametrize(
    ("said", "judged"),
    [
        ("-2.2375", Judged("wrong", "the sign is the other one")),
        ("4.475", Judged("wrong", "twice as large as it is")),
        ("1.11875", Judged("wrong", "half of what it is")),
        ("5", Judged("wrong", "too large")),
        ("1", Judged("wrong", "too small")),
        ("[1, 2]", Judged("wrong", "dimensions: 2, where it is 1×1")),
        ("", Judged("not understood", "there is no answer")),
    ],
)
def test_a_wrong_number_is_told_why(said: str, judged: Judged) -> None:
    assert question('"?" = loss').judge(said) == judged


@pytest.mark.parametrize("said", ["loss", "norm(z1)", "2 **", "__import__('os')"])
def test_an_answer_names_nothing_and_runs_nothing(said: str) -> None:
    assert question('"?" = loss').judge(said).verdict == "not understood"


def test_a_factor_left_out_is_named() -> None:
    judged = question('"∂ℓ/∂W⁽¹⁾ ="').judge("x dl/dyhat dyhat/dz3 dz2/dz1")
    assert "W⁽²⁾" in judged.message


def test_the_value_is_the_one_where_it_was_asked() -> None:
    asked = question('"?" = loss')
    asked.debugger.session.goto(60)
    assert asked.judge("2.2375").right


@pytest.mark.parametrize("event", [0, BACKWARD])
def test_a_formula_may_be_asked_before_anything_is_computed(event: int) -> None:
    assert question('"∂ℓ/∂b⁽²⁾ ="', event).judge("dl/dyhat dyhat/dz3").right


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('"q ="', "does not know 'q'"),
        ('"?" = los', "did you mean loss?"),
        ('"?" = loss', "loss is not computed yet"),
        ('"?" = shape(q)', "does not know 'q'"),
    ],
)
def test_a_question_about_nothing_is_refused(line: str, said: str) -> None:
    with pytest.raises(GradstepError, match=said.replace("?", r"\?")):
        question(line, 0)


def test_the_sizes_of_a_captured() -> None:
    session = Session(captured())
    name, info = next((n, i) for n, i in session.run.tensors.items() if len(i.shape) == 2)
    asked = Question(read_ask(f'ask "?" = shape({name})', 1), Debugger(session))
    assert asked.judge(asked.told).right
    assert not asked.judge("77×1").right
    assert asked.told == "×".join(map(str, info.shape))
