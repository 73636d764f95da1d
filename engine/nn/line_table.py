"""The table of layers that are lines, by the word that names each; its rows come when asked for."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.nn.line_row import LineRow

# What a network of layers in a row cannot do: one of these makes it a network of lines.
WORDS = (
    "flatten",
    "reshape",
    "conv1d",
    "conv2d",
    "conv_transpose2d",
    "max_pool1d",
    "max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "adaptive_avg_pool2d",
    "batch_norm1d",
    "batch_norm2d",
    "layer_norm",
    "group_norm",
    "embedding",
    "rnn",
    "lstm",
    "gru",
    "attention",
    "add",
    "multiply",
    "concat",
    "expression",
)


class LineLayers(Mapping[str, "type[LineRow]"]):
    """The row of each word. Most experiments have none, and need not wait for the rows."""

    def __getitem__(self, word: str) -> "type[LineRow]":
        if word not in WORDS:
            raise KeyError(word)
        from engine.nn.line_rows import LINE_ROWS

        return LINE_ROWS[word]

    def __iter__(self) -> Iterator[str]:
        return iter(WORDS)

    def __len__(self) -> int:
        return len(WORDS)


LINE_LAYERS = LineLayers()
