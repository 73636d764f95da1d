"""A training loop for pudb to step through: the built-in regression, by hand in NumPy."""

import numpy as np

rng = np.random.default_rng(0)
x, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
w1, w2 = rng.normal(size=(4, 3)), rng.normal(size=(2, 4))
b1, b2 = np.zeros(4), np.zeros(2)
lr = 0.05
for _ in range(10_000):
    z1 = x @ w1.T + b1
    z2 = np.maximum(z1, 0)
    yhat = z2 @ w2.T + b2
    d = yhat - y
    loss = np.sum(d * d)
    dyhat = 2 * d
    dw2 = dyhat.T @ z2
    db2 = dyhat.sum(axis=0)
    dz2 = dyhat @ w2
    dz1 = dz2 * (z1 > 0)
    dw1 = dz1.T @ x
    db1 = dz1.sum(axis=0)
    w1 = w1 - lr * dw1
    b1 = b1 - lr * db1
    w2 = w2 - lr * dw2
    b2 = b2 - lr * db2
