"""The strip in which the captions of a lesson stand, up to a third of the screen."""

from tui.render.caption import Caption, caption_lines, room_for
from tui.render.text.line import Line
from tui.widgets.lines import Lines


class CaptionStrip(Lines):
    """A caption, as high as its text needs and the screen allows."""

    def __init__(self) -> None:
        super().__init__()
        self.caption = Caption()

    @property
    def width(self) -> int:
        """The columns that the text has: those of the screen."""
        return self.screen.size.width

    @property
    def most(self) -> int:
        """The lines that it may have."""
        return room_for(self.screen.size.height)

    @property
    def pages(self) -> int:
        """In how many parts the caption is read."""
        return self.caption.pages(self.width, self.most)

    def show(self, caption: Caption) -> None:
        """Show a caption; the panes get what it leaves."""
        self.caption = caption
        height = min(self.most, 1 + len(caption.lines(self.width)))
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
        self.refresh()

    def fit(self) -> None:
        """The screen has another size."""
        self.show(self.caption)

    def made(self) -> list[Line]:
        return caption_lines(self.caption, *self.content_size)
