"""The strip in which captions stand, up to a third of the screen; it takes no room without any."""

from tui.render.caption import Caption, caption_lines, room_for
from tui.render.text.line import Line
from tui.widgets.lines import Lines


class CaptionStrip(Lines):
    """A caption, as high as its text needs and the screen allows."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
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

    def show(self, caption: Caption, lines: bool = True) -> None:
        """Show a caption; the panes get what it leaves, all of it without ``lines``."""
        self.caption = caption
        self.set_class(lines, "shown")
        height = min(self.most, 1 + len(caption.lines(self.width)))
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
        self.refresh()

    def fit(self) -> None:
        """The screen has another size."""
        self.show(self.caption, self.has_class("shown"))

    def made(self) -> list[Line]:
        return caption_lines(self.caption, *self.content_size)
