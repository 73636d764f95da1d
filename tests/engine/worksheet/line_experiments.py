"""Experiments of lines for the tests of the worksheet: what courses ask, small."""

from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.toml_text import read_toml

DATA = """
[data]
x = [[-1.02, -0.12, -1.42], [-0.4, -0.05, 1.49]]
y = [[1.49, 0.57], [0.55, 0.3]]
"""
WEIGHTS = """
[parameters]
W1 = { shape = [4, 3] }
b1 = { shape = [4], init = "normal" }
W2 = { shape = [2, 4] }
b2 = { shape = [2], init = "normal" }
"""
END = """
[optimizer]
type = "sgd"
lr = 0.1
"""


def network(lines: str, per: str = "batch", unfold: str = "[]") -> str:
    return f'\n[network]\nper = "{per}"\nunfold = {unfold}\nlines = """\n{lines}\n"""\n'


SQUARED = "loss = sum((yhat - y)**2)"
ROWS = "z1 = x @ W1.T + b1\nz2 = {f}(z1)\nz3 = z2 @ W2.T + b2\nyhat = {g}\n"
COLUMNS = "z1 = W1 @ x + b1\nz2 = {f}(z1)\nz3 = W2 @ z2 + b2\nyhat = {g}\n"
RECURRENT = """
h[-1] = zeros(2, 4)
for t in range(3):
    c[t] = sigmoid(x[:, t] @ Wc.T + h[t-1] @ Wh.T)
    h[t] = c[t]*h[t-1] + (1 - c[t])*(x[:, t] @ Wx.T)
loss = mean((h[2] - y)**2)
"""
LSTM = """
out[-1] = zeros(2, 2)
state[-1] = zeros(2, 2)
for t in range(3):
    a[t] = tanh(x[:, t] @ Wa.T + out[t-1] @ U.T + b)
    i[t] = sigmoid(x[:, t] @ Wi.T + out[t-1] @ U.T + b)
    state[t] = a[t]*i[t] + i[t]*state[t-1]
    out[t] = tanh(state[t])*i[t]
loss = 0.5*sum((out[0] - y)**2) + 0.5*sum((out[2] - y)**2)
"""
NORMED = """
z = x @ W1.T + b1
mu = mean(z, axis=0, keepdims=True)
v = var(z, axis=0, keepdims=True)
n = (z - mu)/sqrt(v + 1e-5)
h = tanh(n)
yhat = h @ W2.T + b2
loss = mean((yhat - y)**2)
"""
SEQUENCE = """
[data]
x = [[[-1.07, -1.27, 0.13], [0.81, 0.53, 0.25], [-1.29, 1.37, -1.97]],
     [[-0.7, -0.59, 1.98], [0.59, 0.46, 1.92], [1.46, 0.69, -0.84]]]
"""
CLASSES = """
[data]
x = [[-5.5, -3.3, -1.2], [-4.7, -2.6, -0.5], [0.4, 1.9, 0.2]]
y = [0, 2, 1]
"""
GIVEN = '[loss]\ntype = "given"\ngradient = [[-0.41, -0.12], [-2.37, -2.55]]\n'

TEXTS = {
    "relu": DATA + WEIGHTS + network(ROWS.format(f="relu", g="z3") + SQUARED),
    "relu of one": DATA + WEIGHTS + network(COLUMNS.format(f="relu", g="z3") + SQUARED, "sample"),
    "five relu": DATA
    + WEIGHTS
    + network(
        "z1 = W1 @ x + b1\nz2 = 5*relu(z1)\nyhat = W2 @ z2 + b2\n" + SQUARED, "sample", '["z2"]'
    ),
    "sigmoid": DATA.replace("1.49, 0.57", "1.0, 0.57")
    + WEIGHTS
    + network(ROWS.format(f="sigmoid", g="sigmoid(z3)"))
    + '[loss]\ntype = "bce"\n',
    "whole": DATA + WEIGHTS + network("yhat = relu(x @ W1.T + b1) @ W2.T + b2\n" + SQUARED),
    "normed": DATA + WEIGHTS + network(NORMED),
    "skip": DATA
    + '[parameters]\nW = { shape = [3, 3] }\nV = { shape = [2, 3] }\n'
    + network("a = tanh(x @ W.T)\nb = a + x\nc = tanh(b @ W.T) + b\nyhat = c @ V.T\n" + SQUARED),
    "recurrent": SEQUENCE
    + "y = [[0.59, -1.71, -0.08, -0.09], [-1.66, -0.24, -1.08, -0.14]]\n"
    + "[parameters]\nWc = { shape = [4, 3] }\nWh = { shape = [4, 4] }\nWx = { shape = [4, 3] }\n"
    + network(RECURRENT),
    "lstm": SEQUENCE
    + "y = [[0.59, -1.71], [-1.66, -0.24]]\n[parameters]\nWa = { shape = [2, 3] }\n"
    + 'Wi = { shape = [2, 3] }\nU = { shape = [2, 2] }\nb = { shape = [2], init = "normal" }\n'
    + network(LSTM),
    "circuit": "[data]\nx = [[-2.0]]\ny = [[5.0]]\n[parameters]\nz = { value = -4.0 }\n"
    + network("q = x + y\nf = q*z\nloss = sum(f)")
    + "[training]\ninput_gradient = true\n",
    "penalty": CLASSES
    + "[parameters]\nW1 = { shape = [3, 4] }\nb1 = { shape = [4] }\nW2 = { shape = [4, 3] }\n"
    + "[constants]\nreg = 0.3\n"
    + network(
        "h = relu(x @ W1 + b1)\nscores = h @ W2\ndata = cross_entropy(scores, y)\n"
        "loss = data + 0.5*reg*(sum(W1**2) + sum(W2**2))"
    ),
    "given": DATA
    + "[parameters]\nw = { shape = [3, 2] }\nb = { shape = [2] }\n"
    + network("out = reshape(x, 2, 3) @ w + b")
    + GIVEN
    + "[training]\ninput_gradient = true\n",
    "attention": "[data]\nx = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]\n"
    + "y = [[2.0, -0.32], [-0.12, 2.2]]\n"
    + "[parameters]\nQ = { shape = [3, 2] }\nK = { shape = [3, 2] }\nV = { shape = [3, 2] }\n"
    + "[constants]\ndk = 2.0\n"
    + network(
        "S = Q @ K.T/sqrt(dk)\nA = softmax(S, axis=-1)\nO = A @ V\nyhat = x @ O\n" + SQUARED
    ),
}  # fmt: skip


def program_of(text: str) -> Program:
    return compile_program(read_experiment(read_toml(text + END), "lines.toml"))


def lines(name: str) -> Program:
    return program_of(TEXTS[name])
