"""Lines run by PyTorch: the same text with its functions, a second opinion on all gradients."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np


def functions(torch: Any) -> dict[str, Any]:
    """PyTorch's function for each word of lines."""
    nn = torch.nn.functional

    def tensor(z: Any) -> Any:
        return z if torch.is_tensor(z) else torch.tensor(z, dtype=torch.float64)

    def folded(run: Any) -> Any:
        def call(z: Any, axis: Any = None, keepdims: bool = False, **more: Any) -> Any:
            dim = tuple(range(z.ndim)) if axis is None else axis
            return run(z, dim=dim, keepdim=keepdims, **more)

        return call

    def extreme(full: Any, along: Any) -> Any:
        def call(z: Any, axis: Any = None, keepdims: bool = False) -> Any:
            if axis is None:
                return full(z).reshape((1,) * z.ndim if keepdims else ())
            if isinstance(axis, tuple):
                return (torch.amax if full is torch.max else torch.amin)(z, axis, keepdims)
            return along(z, axis, keepdims).values

        return call

    def product(z: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if axis is None:
            return z.prod().reshape((1,) * z.ndim if keepdims else ())
        return z.prod(axis, keepdims)

    def batch_norm(z: Any, gamma: Any = None, beta: Any = None, eps: float = 1e-5) -> Any:
        return nn.batch_norm(z, None, None, gamma, beta, True, 0.1, eps)

    def layer_norm(z: Any, gamma: Any = None, beta: Any = None, eps: float = 1e-5) -> Any:
        shape = z.shape[-1:] if gamma is None else gamma.shape
        return nn.layer_norm(z, shape, gamma, beta, eps)

    def group_norm(
        z: Any, gamma: Any = None, beta: Any = None, groups: int = 1, eps: float = 1e-5
    ) -> Any:
        return nn.group_norm(z, groups, gamma, beta, eps)

    def pad(z: Any, widths: Any) -> Any:
        if isinstance(widths, int):
            return nn.pad(z, (widths,) * 4)
        return nn.pad(z, [w for pair in reversed(widths) for w in pair])

    found = {
        name: getattr(torch, name)
        for name in ("exp", "log", "log2", "log10", "sqrt", "abs", "sin", "cos", "sign", "square")
    }
    found |= {name: getattr(torch, name) for name in ("floor", "ceil", "round", "tanh")}
    found |= {"sigmoid": torch.sigmoid, "relu": nn.relu}
    found |= {
        "sum": folded(torch.sum),
        "mean": folded(torch.mean),
        "var": folded(
            lambda z, dim, keepdim, correction=0: torch.var(
                z, dim=dim, keepdim=keepdim, correction=correction
            )
        ),
        "std": folded(
            lambda z, dim, keepdim, correction=0: torch.std(
                z, dim=dim, keepdim=keepdim, correction=correction
            )
        ),
        "logsumexp": folded(torch.logsumexp),
        "norm": folded(
            lambda z, dim, keepdim: torch.linalg.vector_norm(z, dim=dim, keepdim=keepdim)
        ),
        "max": extreme(torch.max, torch.max),
        "min": extreme(torch.min, torch.min),
        "prod": product,
        "softmax": lambda z, axis=-1: torch.softmax(z, axis),
        "log_softmax": lambda z, axis=-1: torch.log_softmax(z, axis),
        "where": lambda c, a, b: torch.where(c != 0, tensor(a), tensor(b)),
        "maximum": lambda a, b: torch.maximum(tensor(a), tensor(b)),
        "minimum": lambda a, b: torch.minimum(tensor(a), tensor(b)),
        "clip": torch.clamp,
        "reshape": lambda z, *shape: z.reshape(shape),
        "flatten": lambda z: z.flatten(1),
        "transpose": lambda z, *axes: z.permute(axes or tuple(reversed(range(z.ndim)))),
        "concat": lambda *z, axis=-1: torch.cat(z, axis),
        "stack": lambda *z, axis=0: torch.stack(z, axis),
        "pad": pad,
        "repeat": lambda z, times, axis=0: torch.repeat_interleave(z, times, axis),
        "one_hot": lambda y, k: nn.one_hot(y, k).double(),
        "zeros": lambda *shape: torch.zeros(shape, dtype=torch.float64),
        "ones": lambda *shape: torch.ones(shape, dtype=torch.float64),
        "dropout": lambda z, mask: z * mask,
        "embedding": lambda table, ix: table[ix],
        "linear": nn.linear,
        "matmul": torch.matmul,
        "dot": torch.matmul,
        "shape": lambda z, axis: z.shape[axis],
        "batch_norm": batch_norm,
        "layer_norm": layer_norm,
        "group_norm": group_norm,
        "conv1d": nn.conv1d,
        "conv2d": nn.conv2d,
        "conv_transpose1d": nn.conv_transpose1d,
        "conv_transpose2d": nn.conv_transpose2d,
        "max_pool1d": nn.max_pool1d,
        "max_pool2d": nn.max_pool2d,
        "avg_pool1d": nn.avg_pool1d,
        "avg_pool2d": nn.avg_pool2d,
        "adaptive_avg_pool2d": nn.adaptive_avg_pool2d,
        "cross_entropy": lambda z, y, weight=None, **more: nn.cross_entropy(
            z, y, None if weight is None else torch.tensor(weight).double(), **more
        ),
        "nll": nn.nll_loss,
        "mse": nn.mse_loss,
        "l1": nn.l1_loss,
        "huber": nn.huber_loss,
        "bce": nn.binary_cross_entropy,
        "bce_with_logits": nn.binary_cross_entropy_with_logits,
        "range": range,
        "pi": np.pi,
        "e": np.e,
    }
    found |= {
        "hard_sigmoid": lambda z: torch.clamp(z / 6 + 0.5, 0, 1),  # its own slope is a float32
        "smooth_l1": nn.smooth_l1_loss,
        "multi_margin": nn.multi_margin_loss,
        "kl_div": nn.kl_div,
        "prelu": nn.prelu,
        "causal": lambda z: z + torch.triu(torch.full(z.shape[-2:], -torch.inf), diagonal=1),
        "glu": lambda z, axis=-1: nn.glu(z, axis),
        "thresholded_relu": lambda z, threshold: nn.threshold(z, threshold, 0.0),
        "hinge": lambda z, y: torch.relu(1 - y * z).mean(),
        "gaussian_nll": lambda z, y, var, full: nn.gaussian_nll_loss(
            z, y, torch.full_like(z, var), full=full
        ),
        "cosine": lambda z, y: nn.cosine_embedding_loss(z, y, torch.ones(len(z))),
    }
    for name in ("elu", "silu", "gelu", "softplus", "leaky_relu", "selu", "celu", "softsign"):
        found[name] = getattr(nn, name)
    for name in ("hardtanh", "hardswish", "mish"):
        found[name.replace("hard", "hard_")] = getattr(nn, name)
    return found


class Family(dict[Any, Any]):
    """h[0], h[1], … as a dictionary; another index is one of the tensor of that name."""


def run(torch: Any, lines: str, arrays: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The loss and every tensor of lines by name, each with its gradient kept."""
    names: dict[str, Any] = functions(torch)
    leaves: dict[str, Any] = {}
    for name, value in arrays.items():
        array = np.asarray(value)
        found = torch.tensor(array)
        if array.dtype.kind == "f":
            found.requires_grad_(True)
        leaves[name] = found
    names |= leaves
    names["N"] = len(arrays["x"]) if "x" in arrays else 1
    made: dict[str, Any] = {}

    def keep(name: str, value: Any) -> Any:
        if any(value is one for one in (*leaves.values(), *made.values())):
            value = value * 1  # a name of its own, with a gradient of its own
        if torch.is_tensor(value) and value.requires_grad and not value.is_leaf:
            value.retain_grad()
        made[name] = value
        return value

    names["keep"] = keep
    families = set(re.findall(r"^\s*(\w+)\[", lines, re.M))
    names |= {family: Family() for family in families}
    code = []
    for line in lines.splitlines():
        found = re.match(r"(\s*)(\w+)(\[.*?\])? = (.*)$", line)
        if found is None:
            code.append(line)
            continue
        indent, name, index, right = found.groups()
        label = f'f"{name}[{{{index[1:-1]}}}]"' if index else f'"{name}"'
        code.append(f"{indent}{name}{index or ''} = keep({label}, {right})")
    exec("\n".join(code), names)  # the tests' own text
    return names["loss"], leaves | made
