"""The word that holds a claim against the engine."""

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.words.command import Argument, Command, Reply


def run_claim(debugger: Debugger, argument: Argument, count: int) -> Reply:
    """Judge a claim; the reply is not ``ok`` where it is not right."""
    if not argument:
        raise argument.error("an equation is missing: `claim dz3/dz2 = W2`")
    from engine.answers.asking import asked

    try:
        found = asked(debugger.session, argument.text)
    except GradstepError as problem:
        raise argument.reading(problem) from problem
    return Reply(found.lines(), found.verdict.as_json(), ok=found.verdict.right, found=found)


CLAIMING = (
    Command(
        ("claim",),
        "TENSOR = FORMULA",
        "right, or wrong and why: `claim W1.grad = x dl/dz1`",
        run_claim,
    ),
)
