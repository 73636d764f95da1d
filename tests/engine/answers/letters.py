"""A network with one letter a tensor, for tests of answers."""

LETTERS = """
[data]
x = [[0.5, -1.0], [1.0, 0.5]]
y = [[1.0, 0.0], [0.0, 1.0]]

[sizes]
h = 2

[parameters]
W1 = { shape = ["h", "n"] }
b1 = { shape = ["h"], init = "normal" }
W2 = { shape = ["K", "h"] }

[network]
per = "sample"
lines = '''
z1 = W1 @ x + b1
z2 = relu(z1)
yhat = W2 @ z2
loss = sum((yhat - y)**2)
'''

[optimizer]
type = "sgd"
lr = 0.1
"""
