"""Networks of lines for tests, as texts of experiment files: small ones of many kinds.

Data are drawn by a seed and written into the file, so that a text is all there is.
"""

import numpy as np

from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.toml_text import read_toml

MLP = """
z1 = x @ W1.T + b1
a1 = tanh(z1)
yhat = a1 @ W2.T + b2
"""
MLP_PARAMETERS = """
W1 = { shape = [8, "n"], init = "xavier_normal" }
b1 = { shape = [8] }
W2 = { shape = ["K", 8], init = "xavier_normal" }
b2 = { shape = ["K"] }
"""
# name: (kind of data, parameters, head of [network], lines, further tables)
KINDS: dict[str, tuple[str, str, str, str, str]] = {
    "linear": ("numbers", 'W = { shape = ["K", "n"] }\nb = { shape = ["K"] }', "", """
yhat = x @ W.T + b
loss = mean((yhat - y)**2)
""", ""),
    "mlp": ("numbers", MLP_PARAMETERS, "", MLP + "loss = mean((yhat - y)**2)\n", ""),
    "mlp-relu": (
        "numbers", MLP_PARAMETERS.replace("xavier_normal", "kaiming_normal"), "",
        MLP.replace("tanh", "relu") + "loss = mean(sum((yhat - y)**2, axis=1))\n", "",
    ),
    "mlp-table": ("numbers", MLP_PARAMETERS, "", MLP, '[loss]\ntype = "mse"\n'),
    "sample": ("numbers", MLP_PARAMETERS, 'per = "sample"', """
z1 = W1 @ x + b1
z2 = 2*tanh(z1)
yhat = W2 @ z2 + b2
loss = sum((yhat - y)**2)
""", ""),
    "sample-unfolded": ("numbers", MLP_PARAMETERS, 'per = "sample"\nunfold = "all"', """
z1 = W1 @ x + b1
yhat = W2 @ tanh(z1) + b2
""", '[loss]\ntype = "mse"\nreduction = "batch_mean"\n'),
    "classes": ("classes", MLP_PARAMETERS, "", MLP + "loss = cross_entropy(yhat, y)\n", ""),
    "classes-table": ("classes", MLP_PARAMETERS, "", MLP, '[loss]\ntype = "cross_entropy"\n'),
    "softmax-by-hand": ("classes", MLP_PARAMETERS, "", MLP + """
counts = exp(yhat - max(yhat, axis=1, keepdims=True))
probs = counts/sum(counts, axis=1, keepdims=True)
loss = -mean(sum(one_hot(y, 3)*log(probs), axis=1))
""", ""),
    "yes-no": ("yes-no", 'w = { shape = [1, "n"] }\nb = { shape = [1] }', "", """
p = sigmoid(x @ w.T + b)
loss = -mean(y*log(p) + (1 - y)*log(1 - p))
""", ""),
    "logits": ("yes-no", 'w = { shape = [1, "n"] }\nb = { shape = [1] }', "", """
z = x @ w.T + b
loss = bce_with_logits(z, y)
""", ""),
    "recurrent": ("sequences", """
Wx = { shape = [6, 2], init = "xavier_normal" }
Wh = { shape = [6, 6], init = "xavier_normal" }
Wy = { shape = [1, 6], init = "xavier_normal" }
b = { shape = [6] }
""", "", """
h[-1] = zeros(N, 6)
for t in range(4):
    h[t] = tanh(x[:, t] @ Wx.T + h[t-1] @ Wh.T + b)
yhat = h[3] @ Wy.T
loss = mean((yhat - y)**2)
""", ""),
    "gated": ("sequences", """
Wc = { shape = [5, 2] }
Uc = { shape = [5, 5] }
Wx = { shape = [5, 2] }
Wy = { shape = [1, 5] }
""", "", """
h[-1] = zeros(N, 5)
for t in range(4):
    c[t] = sigmoid(x[:, t] @ Wc.T + h[t-1] @ Uc.T)
    h[t] = c[t]*h[t-1] + (1 - c[t])*(x[:, t] @ Wx.T)
loss = mean((h[3] @ Wy.T - y)**2)
""", ""),
    "attention": ("sequences", """
Q = { shape = [4, 2], init = "xavier_normal" }
K = { shape = [4, 2], init = "xavier_normal" }
V = { shape = [4, 2], init = "xavier_normal" }
Wo = { shape = [1, 4], init = "xavier_normal" }
""", "", """
q = x @ Q.T
k = x @ K.T
v = x @ V.T
A = softmax(q @ k.mT/2.0, axis=-1)
o = mean(A @ v, axis=1)
yhat = o @ Wo.T
loss = mean((yhat - y)**2)
""", ""),
    "residual": ("numbers", """
Win = { shape = [6, "n"], init = "xavier_normal" }
W1 = { shape = [6, 6], init = "xavier_normal" }
W2 = { shape = [6, 6], init = "xavier_normal" }
Wout = { shape = ["K", 6], init = "xavier_normal" }
""", "", """
h0 = x @ Win.T
h1 = h0 + tanh(h0 @ W1.T)
h2 = h1 + tanh(h1 @ W2.T)
yhat = h2 @ Wout.T
loss = mean((yhat - y)**2)
""", ""),
    "embedding": ("tokens", """
C = { shape = [6, 3], init = "normal" }
W1 = { shape = [9, 10], init = "xavier_normal", fan = 0 }
b1 = { shape = [10] }
W2 = { shape = [10, 3], init = "xavier_normal", fan = 0 }
""", "", """
emb = C[x]
h = tanh(reshape(emb, N, 9) @ W1 + b1)
logits = h @ W2
loss = cross_entropy(logits, y)
""", ""),
    "normalized": ("numbers", """
W1 = { shape = [8, "n"], init = "xavier_normal" }
g = { value = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0] }
W2 = { shape = ["K", 8], init = "xavier_normal" }
""", "", """
z = x @ W1.T
mu = mean(z, axis=1, keepdims=True)
s = sqrt(var(z, axis=1, keepdims=True) + 1e-5)
a = relu(g*(z - mu)/s)
yhat = a @ W2.T
loss = mean((yhat - y)**2)
""", ""),
    "ridge": ("numbers", 'W = { shape = ["K", "n"] }', "", """
yhat = x @ W.T
loss = mean((yhat - y)**2) + lam*sum(W**2)
""", "[constants]\nlam = 0.01\n"),
    "lasso": ("numbers", 'W = { shape = ["K", "n"] }', "", """
yhat = x @ W.T
loss = mean(abs(yhat - y)) + lam*sum(abs(W))
""", "[constants]\nlam = 0.001\n"),
    "convolved": ("pictures", """
k = { shape = [3, 3], init = "normal", init_scale = 0.5 }
W = { shape = [1, 16], init = "xavier_normal" }
b = { value = 0.1 }
""", "", """
for i in range(3):
    r[i] = k[i, 0]*x[:, i:i+4, 0:4] + k[i, 1]*x[:, i:i+4, 1:5] + k[i, 2]*x[:, i:i+4, 2:6]
a = tanh(r[0] + r[1] + r[2] + b)
yhat = reshape(a, N, 16) @ W.T
loss = mean((yhat - y)**2)
""", ""),
    "autoencoder": ("numbers", 'W = { shape = [2, "n"], init = "xavier_normal" }', "", """
code = x @ W.T
back = code @ W
loss = mean((back - x)**2)
""", ""),
    "hinge": ("yes-no", 'w = { shape = [1, "n"] }\nb = { shape = [1] }', "", """
s = x @ w.T + b
margin = relu(1 - (2*y - 1)*s)
loss = mean(margin) + 0.001*sum(w**2)
""", ""),
}  # fmt: skip


def data(kind: str, seed: int, rows: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of a kind that something can be learnt of."""
    rng = np.random.default_rng((seed, 7))
    x = rng.normal(size=(rows, 3))
    if kind == "numbers":
        return x, np.sin(x @ rng.normal(size=(3, 2))) + 0.5 * x[:, :2]
    if kind == "classes":
        y = np.arange(rows) % 3
        return x + 2.5 * np.eye(3)[y], y
    if kind == "yes-no":
        y = (np.arange(rows) % 2)[:, None].astype(float)
        return x + 2 * y - 1, y
    if kind == "sequences":
        steps = rng.normal(size=(rows, 4, 2))
        return steps, np.tanh(steps[:, -1:, 0] + 0.5 * steps[:, -2, 1:])
    if kind == "tokens":
        tokens = rng.integers(6, size=(rows, 3))
        return tokens, tokens[:, 0] % 3
    pictures = rng.normal(size=(rows, 6, 6))
    return pictures, pictures[:, 1:5, 1:5].mean(axis=(1, 2), keepdims=True)[:, 0] * 3


def text(name: str, seed: int = 0, *, batch: int | None = None, epochs: int = 40, lr: float = 0.1,
         dtype: str = "float64", more: str = "") -> str:  # fmt: skip
    """The experiment file of a network, of 24 rows."""
    kind, parameters, head, lines, tables = KINDS[name]
    x, y = data(kind, seed)
    size = f"batch_size = {batch}\nshuffle = true\n" if batch else ""
    return (
        f'name = "{name}"\nseed = {seed}\ndtype = "{dtype}"\n'
        f"[data]\nx = {x.tolist()}\ny = {y.tolist()}\n{size}"
        f"[parameters]\n{parameters}\n"
        f'[network]\n{head}\nlines = """\n{lines}"""\n{tables}'
        f'[optimizer]\ntype = "sgd"\nlr = {lr}\n{more}[training]\nepochs = {epochs}\n'
    )


def compiled(written: str) -> Program:
    """The program of an experiment file's text."""
    return compile_program(read_experiment(read_toml(written), "lines.toml"))
