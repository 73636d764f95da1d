"""What the doctor rightly says of each built-in experiment."""

from engine.experiment.builtins import builtin_names

RIGHT = {
    "bug-dead-relu": "dead-relu",
    "bug-double-sigmoid": "double-softmax",
    "bug-double-softmax": "double-softmax",
    "bug-exploding": "loss-rising",
    "bug-float32": "float32-cancellation",
    "bug-frozen": "frozen",
    "bug-imbalance": "class-imbalance",
    "bug-input-scales": "input-scales",
    "bug-large-init": "exploding-gradients",
    "bug-log-zero": "log-of-zero",
    "bug-missing-value": "non-finite",
    "bug-nll-scores": "wrong-output",
    "bug-no-zero-grad": "accumulated-gradients",
    "bug-oscillating": "loss-oscillating",
    "bug-saturated": "saturated",
    "bug-summed-loss": "summed-loss",
    "bug-symmetric-init": "symmetric-units",
    "bug-tiny-rate": "update-ratio",
    "bug-vanishing": "vanishing-gradients",
    "deep-sigmoid": "vanishing-gradients",
}
HEALTHY = sorted(set(builtin_names()) - RIGHT.keys())
