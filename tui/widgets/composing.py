"""Which lines of which widgets are painted, and when: what Textual's compositor does, for less.

With tui/widgets/painting.py this is where it is known what Textual does not promise: here
``Screen._compositor``, what it hands to the application, and how a widget has itself painted.
tests/tui/widgets/test_painting.py fails where these change.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual.color import Color
from textual.geometry import Region, Size
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.painting import Chops


class LineCompositor(Compositor):
    """Asks widgets for the lines that are to be painted: Textual asks each for all of its lines."""

    _spans: Sequence[tuple[int, int, int]] | None = None  # those of a repaint of some regions

    def render_partial_update(self) -> ChopsUpdate | None:
        """The pieces of lines that overlap what has to be painted again; None where nothing has."""
        dirty = self._dirty_regions
        self._spans = list(self._regions_to_spans(dirty))
        try:
            return super().render_partial_update()
        finally:
            self._spans = None

    def _render_chops(self, crop: Region, is_rendered_line: Callable[[int], bool]) -> Chops:  # type: ignore[override]
        """The pieces that overlap the spans, or all of the lines of ``crop``; None of others."""
        cuts = self.cuts
        chops: list[dict[int, Strip | None]] = [dict.fromkeys(each[:-1]) for each in cuts]
        missing: list[set[int]] = [set() for _ in cuts]
        if self._spans is None:
            for y in range(max(0, crop.y), min(crop.bottom, len(cuts))):
                missing[y] = set(chops[y])
        else:
            for y, first, last in self._spans:
                if 0 <= y < len(cuts):
                    some = pairwise(cuts[y])
                    missing[y] |= {x for x, end in some if x < last and end > first}
        for widget, (region, clip) in self.visible_widgets.items():  # the one in front comes first
            seen = region.intersection(clip)
            left, top, width, height = seen
            right = left + width
            lines = [
                y
                for y in range(top, top + height)
                if missing[y] and any(left <= x < right for x in missing[y])
            ]
            if not lines or not width:
                continue
            for y, line in rendered(widget, region, seen, lines):
                places = [x for x in cuts[y] if left <= x <= right]
                ends = [x - left for x in places[1:]]
                parts = line.divide(ends) if len(ends) > 1 else [line]
                wanted, pieces = missing[y], chops[y]
                for x, strip in zip(places, parts, strict=False):
                    if x in wanted:
                        pieces[x] = strip
                        wanted.discard(x)
        return chops


def rendered(
    widget: Widget, region: Region, seen: Region, lines: Sequence[int]
) -> Iterator[tuple[int, Strip]]:
    """Lines of the screen, and what a widget shows there; neighbours are asked for together."""
    if isinstance(widget, ScrollBar) and seen == region:
        bar = bar_lines(widget, region.size)
        if bar:
            yield from ((y, bar[y - region.y]) for y in lines)
            return
    start = 0
    while start < len(lines):
        top, end = lines[start], start + 1
        while end < len(lines) and lines[end] == top + end - start:
            end += 1
        asked = Region(seen.x - region.x, top - region.y, seen.width, end - start)
        yield from zip(lines[start:end], widget.render_lines(asked), strict=True)
        start = end


def bar_lines(bar: ScrollBar, size: Size) -> list[Strip]:
    """The lines of a scrollbar; none where it is not drawn as Textual draws one.

    By way of Rich's console, as Textual does it, a bar takes longer than the list beside it.
    """
    shown = bar.render()
    if type(shown) is not ScrollBarRender or not isinstance(shown.style, Style):
        return []
    bright, dark = shown.style.color, shown.style.bgcolor
    if bright is None or dark is None:
        return []
    length, thickness = size if not bar.vertical else (size.height, size.width)
    drawn = ScrollBarRender.render_bar(
        length, shown.virtual_size, shown.window_size, shown.position, thickness, bar.vertical,
        dark, bright,
    )  # fmt: skip
    base, filters, ground = bar.visual_style.rich_style, bar.get_line_filters(), Color(0, 0, 0)
    if filters:
        ground = bar.background_colors[1]
    found: list[list[Segment]] = [[]]
    known: dict[Style | None, Style | None] = {}
    for text, style, _ in drawn.segments:
        if text == "\n":
            found.append([])
            continue
        if style not in known:
            strip = Strip([Segment("x", base + style)])
            for one in filters:
                strip = strip.apply_filter(one, ground)
            known[style] = strip._segments[0].style
        piece = Segment(text, known[style])
        if bar.vertical:
            found.append([piece])
        else:
            found[-1].append(piece)
    lines = [Strip(pieces, size.width) for pieces in found if pieces]
    return lines if len(lines) == size.height else []


def repaint(widget: Widget, regions: Sequence[Region]) -> None:
    """Paint regions of the content of a widget anew, as ``refresh`` does by three messages."""
    if not widget.is_mounted or not widget.is_attached:
        widget.refresh(*regions)
        return
    screen, offset = widget.screen, widget.content_offset
    widget._repaint_regions.update([region.translate(offset) for region in regions])
    if not screen._dirty_widgets:
        # Not at once: widgets that were refreshed meanwhile are to be painted with it.
        asyncio.get_running_loop().call_soon(screen.check_idle)
    screen._dirty_widgets.add(widget)
