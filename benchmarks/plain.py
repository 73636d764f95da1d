"""The same iterations written by hand in NumPy, without a debugger.

What one would write without a library: gradients in local names, parameters changed in place.
"""

from itertools import count

import numpy as np

from benchmarks.measure import Run
from benchmarks.networks import Array, Workload


class TwoLayers:
    """Linear, ReLU, Linear; MSE (mean over the elements) or cross-entropy; SGD."""

    def __init__(self, work: Workload) -> None:
        (self.W1, self.W2), (self.b1, self.b2) = work.parameters()
        self.work, self.lr = work, work.network.lr
        self.classes = work.network.loss == "cross_entropy"
        self.iterations = count()

    def iteration(self) -> float:
        """One iteration; its loss."""
        x, y = self.work.batch(next(self.iterations))
        z1 = x @ self.W1.T + self.b1
        z2 = np.maximum(z1, 0)
        yhat = z2 @ self.W2.T + self.b2
        loss, dyhat = cross_entropy(yhat, y) if self.classes else mse(yhat, y)
        dW2 = dyhat.T @ z2
        db2 = dyhat.sum(axis=0)
        dz2 = dyhat @ self.W2
        dz1 = dz2 * (z1 > 0)
        dW1 = dz1.T @ x
        db1 = dz1.sum(axis=0)
        self.W1 -= self.lr * dW1
        self.b1 -= self.lr * db1
        self.W2 -= self.lr * dW2
        self.b2 -= self.lr * db2
        return loss


class ManyLayers:
    """Linear and ReLU in turn, a Linear at the end, MSE, SGD: loops over the layers."""

    def __init__(self, work: Workload) -> None:
        self.W, self.b = work.parameters()
        self.work, self.lr = work, work.network.lr
        self.iterations = count()

    def iteration(self) -> float:
        """One iteration; its loss."""
        x, y = self.work.batch(next(self.iterations))
        inputs, sums = [x], []
        for W, b in zip(self.W, self.b, strict=True):
            sums.append(inputs[-1] @ W.T + b)
            inputs.append(np.maximum(sums[-1], 0))
        loss, grad = mse(sums[-1], y)
        gradients = []
        for i in range(len(self.W) - 1, -1, -1):
            gradients.append((grad.T @ inputs[i], grad.sum(axis=0)))
            if i:
                grad = (grad @ self.W[i]) * (sums[i - 1] > 0)
        for i, (dW, db) in enumerate(reversed(gradients)):
            self.W[i] -= self.lr * dW
            self.b[i] -= self.lr * db
        return loss


def mse(yhat: Array, y: Array) -> tuple[float, Array]:
    """The mean of (ŷ − y)², and its gradient."""
    d = yhat - y
    return float(np.mean(d * d)), d * (2 / d.size)


def cross_entropy(yhat: Array, y: Array) -> tuple[float, Array]:
    """The mean of −log softmax(ŷ)[y], and its gradient."""
    rows = np.arange(len(y))
    shifted = yhat - yhat.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)
    loss = np.mean(np.log(total[:, 0]) - shifted[rows, y])
    grad = e / total
    grad[rows, y] -= 1
    grad /= len(y)
    return float(loss), grad


def products(work: Workload) -> Run:
    """The matrix products of an iteration alone: what no implementation avoids."""
    weights, _ = work.parameters()
    inputs = [work.batch(0)[0]]
    for W in weights:
        inputs.append(inputs[-1] @ W.T)
    layers = list(zip(weights, inputs, inputs[1:], strict=False))  # z has the shape of its gradient

    def run() -> None:
        for W, x, _ in layers:
            x @ W.T
        for W, x, z in layers[:0:-1]:
            z.T @ x
            z @ W
        _, x, z = layers[0]
        z.T @ x

    return run
