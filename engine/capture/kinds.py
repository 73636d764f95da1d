"""What is known of PyTorch's functions by name: the structure of their Jacobians."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.arrays import Shape
from engine.capture.messages import OpDefinition

ELEMENTWISE: Final = frozenset(
    [
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "selu",
        "celu",
        "gelu",
        "silu",
        "mish",
        "softplus",
        "softsign",
        "tanh",
        "sigmoid",
        "logsigmoid",
        "hardtanh",
        "hardswish",
        "hardsigmoid",
        "threshold",
        "exp",
        "expm1",
        "log",
        "log1p",
        "log2",
        "log10",
        "sqrt",
        "rsqrt",
        "square",
        "pow",
        "neg",
        "abs",
        "sin",
        "cos",
        "reciprocal",
        "clamp",
        "clip",
        "dropout",
        "feature_dropout",
        "float",
        "double",
        "half",
        "bfloat16",
        "to",
        "type",
        "clone",
        "contiguous",
        "add",
        "sub",
        "rsub",
        "mul",
        "div",
        "true_divide",
        "masked_fill",
        "where",
        "erf",
        "nan_to_num",
    ]
)
VIEWS: Final = frozenset(
    [
        "view",
        "reshape",
        "flatten",
        "unflatten",
        "transpose",
        "permute",
        "t",
        "squeeze",
        "unsqueeze",
        "movedim",
        "swapaxes",
        "swapdims",
        "view_as",
        "reshape_as",
        "roll",
        "flip",
    ]
)
SELECTIONS: Final = frozenset(
    [
        "__getitem__",
        "getitem",
        "select",
        "narrow",
        "index_select",
        "gather",
        "embedding",
        "cat",
        "concat",
        "stack",
        "hstack",
        "vstack",
        "expand",
        "repeat",
        "broadcast_to",
        "expand_as",
        "split",
        "chunk",
        "unbind",
        "pad",
        "max_pool1d",
        "max_pool2d",
        "max_pool3d",
        "max",
        "min",
        "amax",
        "amin",
    ]
)
ROWS: Final = frozenset(
    [
        "softmax",
        "log_softmax",
        "layer_norm",
        "rms_norm",
        "group_norm",
        "instance_norm",
        "normalize",
        "cumsum",
        "glu",
        "scaled_dot_product_attention",
        "bmm",
        "baddbmm",
    ]
)
WINDOWS: Final = frozenset(
    [
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "avg_pool1d",
        "avg_pool2d",
        "adaptive_avg_pool1d",
        "adaptive_avg_pool2d",
        "unfold",
        "fold",
    ]
)
LINEAR: Final = frozenset({"linear", "addmm"})
PRODUCTS: Final = frozenset({"matmul", "mm", "__matmul__", "mv", "dot"})
REDUCTIONS: Final = frozenset(["sum", "mean", "logsumexp", "norm", "var", "std", "prod"])
LOSSES: Final = frozenset(
    [
        "mse_loss",
        "l1_loss",
        "smooth_l1_loss",
        "huber_loss",
        "nll_loss",
        "cross_entropy",
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
        "kl_div",
        "ctc_loss",
        "hinge_embedding_loss",
    ]
)
UNKNOWN: Final = "dense?"


@dataclass(frozen=True)
class Structure:
    """The structure of a Jacobian in words, and whether each row of axis 0 stays by itself."""

    words: str
    parallel: bool


def structure(op: OpDefinition, operand: int, wrote: Shape, read: Shape) -> Structure:
    """The structure of an op's result (``wrote``) by one of its operands, of shape ``read``."""
    kind = op.kind.rstrip("_") if not op.kind.startswith("__") else op.kind
    rows = bool(wrote) and bool(read) and wrote[0] == read[0]
    if kind in ELEMENTWISE:
        if wrote == read:
            return Structure("diagonal", True)
        return Structure("selection (broadcast)", len(wrote) > len(read) or not rows)
    if kind in VIEWS:
        return Structure("permutation", rows)
    if kind in SELECTIONS:
        return Structure("selection", rows)
    if kind == "batch_norm":
        training = (op.attributes or {}).get("training") is not False
        if training and operand == 0:
            return Structure("block-diagonal over channels: it couples the batch", False)
        return Structure("diagonal", True)
    if kind in ROWS:
        return Structure("block-diagonal", True)
    if kind in LINEAR:
        return LINEAR_PARTS[operand] if operand < len(LINEAR_PARTS) else Structure(UNKNOWN, False)
    if kind in PRODUCTS:
        words = "Kronecker: I ⊗ Bᵀ" if operand == 0 else "Kronecker: A ⊗ I"
        return Structure(words, operand == 0 and rows)
    if kind in WINDOWS:
        return WINDOW_PARTS[operand - 1] if operand else Structure("Toeplitz", rows)
    if kind in REDUCTIONS or kind in LOSSES:
        if not wrote:
            return Structure("one row", True)
        return Structure("block-diagonal: one row a block", reduces_inside(op))
    return Structure(UNKNOWN, False)


WINDOW_PARTS: Final = (
    Structure("block-diagonal over channels: the patches of x", True),
    Structure("selection (broadcast)", True),
)
LINEAR_PARTS: Final = (
    Structure("Kronecker: I ⊗ W", True),
    Structure("Kronecker: x ⊗ I", True),
    Structure("selection (broadcast)", True),
)


def reduces_inside(op: OpDefinition) -> bool:
    """Whether a reduction leaves axis 0 alone."""
    dims = (op.attributes or {}).get("dim")
    listed: Sequence[object] = dims if isinstance(dims, list) else [dims]
    return all(isinstance(one, int) and one != 0 for one in listed)
