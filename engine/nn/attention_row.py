"""Multi-head attention (Vaswani et al. 2017), with the parameters of PyTorch's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from engine.functions.options import Count
from engine.lines.node import Node, described
from engine.nn.line_row import LineRow, Unfit, Weight, Written


@dataclass(frozen=True)
class AttentionRow(LineRow):
    """softmax(Q Kᵀ / √d) V of ``heads`` heads; of a second input where there is one, else itself.

    ``causal``: a step sees none behind it.
    """

    type: ClassVar[str] = "attention"
    roles: ClassVar[str] = r"in_proj_(weight|bias)|out_proj\.(weight|bias)"
    most: ClassVar[int | None] = 2
    heads: Count = 1
    causal: bool = False
    bias: bool = True

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        for one in inputs:
            if one.rank != 3:
                raise Unfit(f"{described(one)}; attention takes sequences (N, T, E)")
        query, source = inputs[0], inputs[-1]
        rows, steps, wide = query.shape
        if source.shape[::2] != query.shape[::2]:
            raise Unfit(f"{described(query)} and {described(source)}: N and E must agree")
        if wide % self.heads:
            raise Unfit(f"{described(query)}: {wide} make no {self.heads} heads", "heads")
        part = wide // self.heads
        first, second = ("z", "z") if len(inputs) == 1 else ("z1", "z2")
        text = []
        for k, (name, given) in enumerate((("q", first), ("k", second), ("v", second))):
            long = steps if name == "q" else source.shape[1]
            sizes = f"{rows}, {long}, {self.heads}, {part}"
            heads = f"reshape({self.projected(given, k, wide)}, {sizes})"
            text.append(f"{name} = transpose({heads}, 0, 2, 1, 3)")
        scores = f"q @ k.mT / {part}**0.5"
        text.append(f"scores = {f'causal({scores})' if self.causal else scores}")
        text.append("weights = softmax(scores, axis=-1)")
        text.append(f"heads = reshape(transpose(weights @ v, 0, 2, 1, 3), {rows}, {steps}, {wide})")
        bias = ", out_proj.bias" if self.bias else ""
        text.append(f"out = linear(heads, out_proj.weight{bias})")
        return Written("\n".join(text), self.parameters(wide))

    def projected(self, given: str, k: int, wide: int) -> str:
        """The queries, keys or values, part k of the projection of an input."""
        rows = f"[{k * wide}:{(k + 1) * wide}]"
        bias = f", in_proj_bias{rows}" if self.bias else ""
        return f"linear({given}, in_proj_weight{rows}{bias})"

    def parameters(self, wide: int) -> dict[str, Weight]:
        """The parameters by role."""
        found = {"in_proj_weight": Weight((3 * wide, wide), "xavier_uniform")}
        if self.bias:
            found["in_proj_bias"] = Weight((3 * wide,), 0.0)
        found["out_proj.weight"] = Weight((wide, wide))
        if self.bias:
            found["out_proj.bias"] = Weight((wide,), 0.0)
        return found
