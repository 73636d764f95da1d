"""Whether a person can see a widget: what costs something is not done for hidden panes."""

from textual.widget import Widget


def seen(widget: Widget) -> bool:
    """Whether a widget and all it stands in are displayed, and it has an area of the screen."""
    return all(
        node.display for node in widget.ancestors_with_self if isinstance(node, Widget)
    ) and bool(widget.region.area)
