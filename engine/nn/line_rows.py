"""The rows of layers that are lines, by the word that names each in an experiment."""

from engine.nn.attention_row import AttentionRow
from engine.nn.line_row import LineRow
from engine.nn.normal_rows import BatchNorm1dRow, BatchNorm2dRow, GroupNormRow, LayerNormRow
from engine.nn.plain_rows import (
    AddRow,
    ConcatRow,
    DropoutRow,
    EmbeddingRow,
    ExpressionRow,
    FlattenRow,
    LinearRow,
    MultiplyRow,
    PReLURow,
    ReshapeRow,
)
from engine.nn.recurrent_rows import GRURow, LSTMRow, RNNRow
from engine.nn.spatial_rows import (
    AdaptiveAvgPool2dRow,
    AvgPool1dRow,
    AvgPool2dRow,
    Conv1dRow,
    Conv2dRow,
    ConvTranspose2dRow,
    MaxPool1dRow,
    MaxPool2dRow,
)

LINE_ROWS: dict[str, type[LineRow]] = {
    row.type: row
    for row in (
        FlattenRow,
        ReshapeRow,
        Conv1dRow,
        Conv2dRow,
        ConvTranspose2dRow,
        MaxPool1dRow,
        MaxPool2dRow,
        AvgPool1dRow,
        AvgPool2dRow,
        AdaptiveAvgPool2dRow,
        BatchNorm1dRow,
        BatchNorm2dRow,
        LayerNormRow,
        GroupNormRow,
        EmbeddingRow,
        RNNRow,
        LSTMRow,
        GRURow,
        AttentionRow,
        AddRow,
        MultiplyRow,
        ConcatRow,
        ExpressionRow,
    )
}
# The forms in lines of layers that also stand in a row.
BOTH: dict[str, type[LineRow]] = {row.type: row for row in (LinearRow, PReLURow, DropoutRow)}
