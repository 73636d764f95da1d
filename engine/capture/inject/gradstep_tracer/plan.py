"""What the process that started this one wants to be told: GRADSTEP_PLAN, a JSON object."""

from __future__ import annotations

import json
import os


class Plan:
    """The wishes, with their defaults."""

    def __init__(self, given: dict) -> None:
        self.token: str = given.get("token", "")
        self.depth: str = given.get("depth", "op")  # module, op, aten
        self.values: str = given.get("values", "auto")  # auto, full, stats, light
        self.budget: int = given.get("budget", 2**30)  # bytes of the recording
        self.window = given.get("window")  # [first, last) iteration in full
        self.every: int = given.get("every", 0)  # each so many iterations one in full
        self.digests: bool = given.get("digests", False)
        self.quiet: bool = given.get("quiet", False)
        self.iteration = given.get("iteration")  # [file, line] where a pass begins
        self.inputs: bool = given.get("inputs", True)
        self.eager: bool = given.get("eager", False)
        self.socket: str = os.environ.get("GRADSTEP_SOCKET", "")

    def in_full(self, iteration: int) -> bool:
        """Whether every value of an iteration is wanted whole."""
        if self.values == "full":
            return True
        if self.window and self.window[0] <= iteration < self.window[1]:
            return True
        return bool(self.every) and iteration % self.every == 0


def read_plan() -> Plan | None:
    """The plan of this process, None where nobody has one."""
    text = os.environ.get("GRADSTEP_PLAN", "")
    if not text or not os.environ.get("GRADSTEP_SOCKET"):
        return None
    return Plan(json.loads(text))
