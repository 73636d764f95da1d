"""Networks of lines whose Jacobians are held against others: the text, its tensors, its data."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.chain.primals import Primals
from engine.chain.query import complete_at, query
from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.run.phases import Phase
from engine.session.session import Session

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Case:
    """A network of lines; values of the parameters and of x are drawn."""

    name: str
    lines: str
    parameters: Shapes
    x: tuple[int, ...] = (3, 4)
    y: tuple[int, ...] = (3, 2)
    per: str = "batch"
    index: int = 0  # x holds whole numbers below this
    classes: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    def experiment(self) -> dict[str, Any]:
        """The experiment as its file has it."""
        rng = np.random.default_rng(7)
        x = rng.integers(0, self.index, self.x) if self.index else rng.normal(size=self.x)
        y = rng.integers(0, self.classes, self.y) if self.classes else rng.normal(size=self.y)
        parameters = {
            name: {"value": rng.normal(size=shape).tolist()}
            for name, shape in self.parameters.items()
        }
        return {
            "name": self.name,
            "data": {"x": x.tolist(), "y": y.tolist()},
            "parameters": parameters,
            "network": {"lines": self.lines, "per": self.per},
            "optimizer": {"type": "sgd", "lr": 0.1},
            **self.extra,
        }


CASES = [
    Case(
        "gated rnn",
        """
h[-1] = zeros(N, 4)
for t in range(3):
    c[t] = sigmoid(x[:, t] @ Wc.T + h[t-1] @ Wh.T)
    h[t] = c[t]*h[t-1] + (1 - c[t])*(x[:, t] @ Wx.T)
loss = mean((h[2] - y)**2)
""",
        {"Wc": (4, 2), "Wh": (4, 4), "Wx": (4, 2)},
        (2, 3, 2),
        (2, 4),
    ),
    Case(
        "rnn",
        """
h[-1] = zeros(N, 3)
for t in range(3):
    h[t] = tanh(x[:, t] @ Wx.T + h[t-1] @ Wh.T + b)
yhat = h[2] @ V.T
loss = mean((yhat - y)**2)
""",
        {"Wx": (3, 2), "Wh": (3, 3), "b": (3,), "V": (2, 3)},
        (3, 3, 2),
        (3, 2),
    ),
    Case(
        "batch norm",
        """
z = x @ W.T + b
mu = mean(z, axis=0, keepdims=True)
d = z - mu
s2 = mean(d**2, axis=0, keepdims=True)
r = (s2 + 1e-5)**-0.5
n = d*r
yhat = gamma*n + beta
loss = mean((yhat - y)**2)
""",
        {"W": (2, 4), "b": (2,), "gamma": (2,), "beta": (2,)},
    ),
    Case(
        "attention",
        """
Q = x @ Wq
K = x @ Wk
V = x @ Wv
S = Q @ K.mT/sqrt(2.0)
A = softmax(S, axis=-1)
O = A @ V
yhat = sum(O, axis=1)
loss = sum((yhat - y)**2)
""",
        {"Wq": (4, 2), "Wk": (4, 2), "Wv": (4, 2)},
        (2, 3, 4),
        (2, 2),
    ),
    Case(
        "residual",
        """
a = tanh(x @ W1.T)
r = a + x
b = tanh(r @ W2.T) + r
yhat = b @ V.T
loss = mean((yhat - y)**2) + 0.1*(sum(W1**2) + sum(W2**2))
""",
        {"W1": (4, 4), "W2": (4, 4), "V": (2, 4)},
    ),
    Case(
        "shared weights",
        """
a = tanh(x @ W.T)
c = sigmoid(a @ W.T)
yhat = c @ W
loss = sum((yhat - y)**2)
""",
        {"W": (4, 4)},
        y=(3, 4),
    ),
    Case(
        "homework, columns",
        """
z1 = W1 @ x + b1
z2 = 5*tanh(z1)
yhat = W2 @ z2 + b2
loss = sum((yhat - y)**2)
""",
        {"W1": (3, 4), "b1": (3,), "W2": (2, 3), "b2": (2,)},
        per="sample",
    ),
    Case(
        "embedding",
        """
emb = C[x]
flat = reshape(emb, 3, 6)
h = tanh(flat @ W)
logp = log_softmax(h @ V)
loss = -mean(logp[rows, y])
""",
        {"C": (5, 2), "W": (6, 4), "V": (4, 3)},
        (3, 3),
        (3,),
        index=5,
        classes=3,
        extra={"constants": {"rows": [0, 1, 2]}},
    ),
    Case(
        "moves",
        """
t = transpose(x)
p = pad(x, 1)
c = concat(x, 2*x, axis=1)
s = stack(x, x*x, axis=1)
k = repeat(x, 2, axis=0)
i = x[1:, ::2]
j = x[:, -1]
q = reshape(x, 4, 3)
w = concat(j, x[0], axis=0)
loss = sum(t)**2 + sum(sin(p)) + sum(c*c) + sum(s**3) + sum(k*k) + sum(i*i) + sum(q**3) + sum(w*w)
""",
        {"unused": (1,)},
    ),
    Case(
        "folds",
        """
z = x*g
v = var(z, axis=1)
e = std(z, axis=0, keepdims=True)
l = logsumexp(z, axis=1)
n = norm(z, axis=0)
p = prod(z, axis=1)
m = max(z, axis=1)
u = softmax(z, axis=0)
loss = sum(v*l) + sum(n) + sum(p) + sum(m*v) + sum(e) + sum(u*z)
""",
        {"g": (4,)},
    ),
    Case(
        "choices",
        """
z = x @ W.T
a = where(z > 0, z*z, sin(z))
c = maximum(a, z)
d = clip(c, -1, 1)
f = abs(z)*floor(z)
yhat = a + d*exp(-c) + f/(1 + z**2)
loss = mean((yhat - y)**2)
""",
        {"W": (2, 4)},
    ),
    Case(
        "broadcasts",
        """
r = x*row
c = r*col
s = c*k + k
o = reshape(row, 4, 1) @ reshape(row, 1, 4)
yhat = s @ o @ W.T
loss = sum(yhat*y)
""",
        {"row": (4,), "col": (3, 1), "k": (), "W": (2, 4)},
    ),
    Case(
        "losses",
        """
z = x @ W.T + b
loss = cross_entropy(z, y) + 0.5*mse(x @ W.T, z*z)
""",
        {"W": (3, 4), "b": (3,)},
        y=(3,),
        classes=3,
    ),
    Case(
        "losses of samples",
        """
z = W @ x
loss = bce_with_logits(z, sigmoid(y))
""",
        {"W": (2, 4)},
        per="sample",
    ),
]


def session_of(case: Case) -> Session:
    """A session where all tensors of the first iteration have values."""
    session = Session(compile_program(read_experiment(case.experiment(), case.name)))
    session.goto(complete_at(session.program))
    return session


def real_tensors(session: Session) -> list[str]:
    """The tensors that can stand in a Jacobian."""
    roles = ("input", "activation", "parameter", "loss")
    infos = session.program.tensors.values()
    return [i.name for i in infos if i.role in roles and np.dtype(i.dtype).kind == "f"]


def forward(session: Session, of: str, wrt: str, value: Any) -> Any:
    """The tensor ``of`` where ``wrt`` has another value: the ops of forward are run with it."""
    tensors = {**session.state.tensors, wrt: value}
    for op in session.program.ops:
        if op.phase in (Phase.FORWARD, Phase.LOSS) and wrt not in op.writes:
            tensors |= dict(zip(op.writes, op.run(tensors), strict=True))
    return tensors[of]


def differences(session: Session, of: str, wrt: str, step: float = 1e-6) -> Any:
    """∂of/∂wrt of the whole batch by central differences, (rows, columns)."""
    at = np.array(session.state.tensors[wrt], dtype=float)
    columns = []
    for place in range(at.size):
        found = []
        for sign in (step, -step):
            moved = at.copy().reshape(-1)
            moved[place] += sign
            found.append(np.asarray(forward(session, of, wrt, moved.reshape(at.shape))))
        columns.append((found[0] - found[1]).reshape(-1) / (2 * step))
    return np.stack(columns, axis=1)


def dense(session: Session | Primals, of: str, wrt: str) -> Any:
    """∂of/∂wrt of the whole batch as a matrix."""
    return query(session, of, wrt, None).jacobian.to_dense()
