"""What was met on the way through a damaged recording, and which events had to be recomputed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.recording.environment import differences

MOST = 200_000  # events and problems that are told apart
SHOWN = 5  # problems that are told one by one
Place = tuple[str, int]  # a branch and an event


@dataclass
class Account:
    """Damage that did not end what was done, ``problems``, each once and in words.

    ``recomputed`` are the events whose recorded results could not be read, ``differing`` those
    whose recomputed results are not the recorded ones.
    """

    problems: dict[str, None] = field(default_factory=dict)
    recomputed: dict[Place, None] = field(default_factory=dict)
    differing: dict[Place, None] = field(default_factory=dict)

    def problem(self, said: str) -> None:
        """Note a problem, which names the file or not."""
        if len(self.problems) < MOST:
            self.problems[said.rpartition("damaged: ")[2]] = None

    def note(self, places: dict[Place, None], branch: str, event: int) -> None:
        """Note an event, in ``recomputed`` or ``differing``."""
        if len(places) < MOST:
            places[branch, event] = None

    def lines(self, recorded: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
        """What to tell of it, damage first; nothing for a sound file.

        ``recorded`` and ``here`` are environments: in another one results may differ by rounding.
        """
        found = [f"damaged: {said}" for said in list(self.problems)[:SHOWN]]
        if len(self.problems) > SHOWN:
            found.append(f"damaged: and {len(self.problems) - SHOWN:,} more places")
        if self.recomputed:
            said = "could not be read as they were recorded: they are recomputed"
            found.append(f"damaged: {events(self.recomputed)} {said}")
        if self.differing and not differences(recorded, here):
            said = "were recorded with other results than they give here: they are recomputed"
            found.append(f"damaged: {events(self.differing)} {said}")
        return found


def events(places: Mapping[Place, None]) -> str:
    """``12 events of main (#40 to #51)``, branch by branch."""
    by_branch: dict[str, list[int]] = {}
    for branch, event in places:
        by_branch.setdefault(branch, []).append(event)
    return ", ".join(
        f"{len(found):,} events of {branch} (#{min(found)} to #{max(found)})"
        if len(found) > 1
        else f"1 event of {branch} (#{found[0]})"
        for branch, found in by_branch.items()
    )
