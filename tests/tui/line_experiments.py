"""Networks of lines for tests of the screen: tensors of ranks 0 to 4, loops, columns, pieces."""

import tomllib

from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program

# A gate over three time steps: h[-1], c[0], h[0], …; sequences (N, T, D); a short last batch.
GATED = """
name = "gated"
seed = 1
[data]
x = [[[-1.0, 0.5], [0.8, 0.5], [-1.2, 1.3]], [[0.2, -0.5], [0.4, 0.1], [1.4, -0.6]],
     [[0.3, 0.9], [-0.7, 1.1], [0.6, 0.0]]]
batch_size = 2
y = [[0.5, -1.0, 0.0], [-1.6, 0.4, -0.2], [0.1, 0.2, 0.3]]
[parameters]
Wc = { shape = [3, 2] }
Wh = { shape = [3, 3] }
Wx = { shape = [3, 2] }
[network]
lines = '''
h[-1] = zeros(N, 3)
for t in range(3):
    c[t] = sigmoid(x[:, t] @ Wc.T + h[t-1] @ Wh.T)
    h[t] = c[t]*h[t-1] + (1 - c[t])*(x[:, t] @ Wx.T)
loss = mean((h[2] - y)**2)
'''
[optimizer]
type = "adam"
lr = 0.1
[training]
epochs = 20
"""

# Filters (O, C, 3, 3), images (N, C, 6, 6), and heads (N, heads, T, T) of attention over them.
ATTENTION = """
name = "filters and heads"
seed = 2
[data]
x = [[[[0.1, -0.2, 0.3, 0.4, 0.0, 1.0], [0.5, 0.1, -0.6, 0.2, 0.3, 0.9],
       [0.2, 0.4, 0.1, -0.3, 0.8, 0.0], [0.7, -0.1, 0.2, 0.6, 0.1, 0.2],
       [0.3, 0.3, -0.4, 0.1, 0.5, 0.1], [0.0, 0.2, 0.9, -0.7, 0.4, 0.6]]],
     [[[0.9, 0.2, -0.3, 0.1, 0.6, 0.4], [0.1, 0.8, 0.6, -0.2, 0.0, 0.3],
       [0.4, -0.4, 0.5, 0.3, 0.2, 0.7], [0.2, 0.1, 0.0, 0.9, -0.5, 0.1],
       [0.6, 0.3, 0.4, 0.2, 0.1, -0.8], [0.3, -0.2, 0.1, 0.5, 0.7, 0.0]]]]
y = [[1.0], [-1.0]]
[parameters]
K = { shape = [4, 1, 3, 3] }
Q = { shape = [2, 4, 2] }
w = { shape = [32] }
[constants]
d = 2.0
[network]
lines = '''
s = relu(reshape(x, N, 4, 9) @ reshape(K, 4, 9).T)
q = stack(s @ Q[0], s @ Q[1], axis=1)
A = softmax(q @ q.mT/sqrt(d), axis=-1)
o = A @ q
yhat = reshape(o, N, 16) @ reshape(w, 2, 16).T
loss = mean((sum(yhat, axis=1, keepdims=True) - y)**2)
'''
[optimizer]
type = "sgd"
lr = 0.05
[training]
epochs = 10
"""

# Columns (N, n, 1) of the samples, a line in pieces, a constant, a parameter that is a number.
COLUMNS = """
name = "five relu"
[data]
x = [[-1.02, -0.12, -1.42], [-0.4, -0.05, 1.49]]
y = [[1.49, 0.57], [0.55, 0.3]]
[parameters]
W1 = { value = [[0.43, -0.28, -1.13], [1.71, 0.29, -2.13], [-0.58, 0.45, -0.71], [1.1, -1.7, 0.7]] }
b1 = { value = [-2.0, 0.78, -2.1, -1.3] }
W2 = { value = [[0.09, 0.08, -0.27, 0.41], [0.41, -0.03, 0.61, 0.79]] }
b2 = { value = [-0.37, -1.23] }
[constants]
lam = 0.01
[network]
per = "sample"
lines = '''
z1 = W1 @ x + b1
z2 = 5*relu(z1)
yhat = W2 @ z2 + b2
loss = sum((yhat - y)**2) + lam*sum(W1**2)
'''
unfold = ["z2"]
[optimizer]
type = "sgd"
lr = 0.01
[training]
epochs = 10
"""

TEXTS = {"gated": GATED, "filters and heads": ATTENTION, "five relu": COLUMNS}


def lines_program(name: str) -> Program:
    """The program of one of the texts."""
    return program_of(TEXTS[name])


def program_of(text: str) -> Program:
    """The program of an experiment that is given as a text."""
    return compile_program(read_experiment(tomllib.loads(text), "lines.toml"))


def unrolled(steps: int) -> Program:
    """A recurrent network of so many steps: six tensors a step, of which four have a gradient."""
    x = [[[0.1 * (t % 7) - 0.3, 0.2] for t in range(steps)]] * 2
    return program_of(f"""
name = "unrolled"
[data]
x = {x}
y = [[0.5, -0.5], [0.1, 0.2]]
[parameters]
Wx = {{ shape = [2, 2] }}
Wh = {{ shape = [2, 2] }}
[network]
lines = '''
h[-1] = ones(N, 2)
for t in range({steps}):
    u[t] = x[:, t] @ Wx.T
    v[t] = h[t-1] @ Wh.T
    g[t] = sigmoid(u[t])
    r[t] = tanh(v[t])
    m[t] = g[t]*r[t]
    h[t] = m[t] + 0.5*h[t-1]
loss = mean((h[{steps - 1}] - y)**2)
'''
[optimizer]
type = "sgd"
lr = 0.1
""")
