"""The tables of a backpropagation homework, made from the network."""
