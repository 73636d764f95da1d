"""Losses with their options, and data that they take."""

from typing import Any

PAIRS = {"x": [[0.5, -1.0], [1.5, 0.25]], "y": [[0.25, 0.75], [0.5, 0.5]]}


SIGNS = PAIRS | {"y": [[1.0, -1.0], [-1.0, -1.0]]}


LOSSES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "smooth_l1", "beta": 0.25}, PAIRS),
    ({"type": "gaussian_nll"}, PAIRS),
    ({"type": "gaussian_nll", "var": 0.25, "full": True, "reduction": "batch_mean"}, PAIRS),
    ({"type": "hinge", "margin": 0.5, "reduction": "sum"}, SIGNS),
    ({"type": "hinge"}, SIGNS),
    ({"type": "cosine", "scale": 0.5}, PAIRS),
    ({"type": "kl_div"}, PAIRS),
    ({"type": "kl_div", "log_target": True, "reduction": "batch_mean"}, PAIRS),
    ({"type": "multi_margin", "p": 2, "weight": [1.0, -0.5]}, PAIRS | {"y": [1, 0]}),
    ({"type": "multi_margin", "margin": 0.5}, PAIRS | {"y": [1, 0]}),
]
