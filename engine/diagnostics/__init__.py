"""The doctor: what is wrong with a training loop, with the event that shows it.

Detectors watch the events of a run and keep a few numbers; each declares a card that says what it
looks for, why its thresholds are what they are, the likely cause and the remedy. ``Doctor`` feeds
them, from a session while one steps or from a run of its own; ``diagnose`` does all of it at once.
"""
