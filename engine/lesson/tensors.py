"""The tensors that a lesson names."""

from engine.errors import GradstepError
from engine.run.run import Run
from engine.wording import suggestion

LOSS = ("l", "ℓ")


def tensor_of(run: Run, name: str) -> str:
    """The tensor of a name; ``l`` and ``ℓ`` are the loss, where no tensor has this name."""
    found = run.resolve(name)
    return run.loss if found not in run.tensors and name in LOSS and run.loss else found


def known(run: Run, names: tuple[str, ...]) -> tuple[str, ...]:
    """The tensors of names; raises GradstepError for one that the run has not."""
    found = tuple(tensor_of(run, name) for name in names)
    for name, tensor in zip(names, found, strict=True):
        if tensor not in run.tensors:
            hint = suggestion(name, list(run.tensors))
            raise GradstepError(f"no tensor {name!r}{hint}")
    return found
