"""The optimizers by their words in an experiment."""

from engine.optim.adaptive import Adadelta, Adagrad, RMSprop
from engine.optim.optimizers import SGD, Adam, AdamW, Optimizer

OPTIMIZERS: dict[str, type[Optimizer]] = {
    optimizer.type: optimizer for optimizer in (SGD, Adam, AdamW, Adagrad, RMSprop, Adadelta)
}
