"""The doctor: what is wrong with a training loop, with the event that shows it.

Detectors watch the events of a run and keep a few numbers; each declares a card that says what it
looks for, why its thresholds are what they are, the likely cause and the remedy. ``Doctor`` feeds
them, from a session while one steps or from a run of its own; ``diagnose`` does all of it at once.
"""

from engine.diagnostics.diagnosis import Card, Certainty, Diagnosis, Limit, Severity
from engine.diagnostics.doctor import THOROUGH, WATCHING, Doctor, diagnose
from engine.diagnostics.refusals import REFUSALS, diagnose_refusal

__all__ = [
    "REFUSALS",
    "THOROUGH",
    "WATCHING",
    "Card",
    "Certainty",
    "Diagnosis",
    "Doctor",
    "Limit",
    "Severity",
    "diagnose",
    "diagnose_refusal",
]
