"""What is wrong with the data, before it is known in which experiment."""

from engine.errors import Problem


class DataProblem(Exception):
    """What is wrong with the data: one problem or several, with the fields they belong to.

    Whoever knows the file makes an ExperimentError of it.
    """

    def __init__(self, field: str, message: str, *more: tuple[str, str]) -> None:
        super().__init__(message)
        found = ((field, message), *more)
        self.problems = [Problem(f"data.{name}", said) for name, said in found]
