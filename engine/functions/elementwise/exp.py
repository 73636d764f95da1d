"""The exponential function as a name in formulas."""

import numpy as np

from engine.formulas.named import Named

EXP = Named("exp", r"\exp", np.exp)
