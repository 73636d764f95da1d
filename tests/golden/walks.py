"""What is typed in front of the screen: chapters of keys, each from the start of the debugger.

A line is keys with blanks between them, or ``> TEXT`` for a line at the prompt that the key before
has opened. A character stands for its key. Left out is what depends on the clock: playing.
"""

CHAPTERS: dict[str, str] = {
    "stepping": """
        s n s s S N f f F e E g G C space f11 f10 shift+f11 F F
        5 n 2 0 s 3 S g N S F E G s n
        @
        > i2:backward
        u u u u d d d d o s o n . down down up enter t
        @
        > 50%
        alt+left alt+right
        @
        > nowhere
        escape 8 escape left left right shift+up shift+down home end
    """,
    "panes": """
        f f n n s s
        1 escape down down pagedown end home z z
        2 escape 3 escape 4 escape 5 escape down down enter . z z
        6 escape 7 escape 8 escape 9 escape L L down enter 0 escape down enter
        tab tab tab shift+tab shift+right shift+right shift+left shift+up shift+down
        f 9 escape n n n s 0 escape G 9 escape 0 escape z z 5 escape end home
        ?
        pagedown down end escape
        ctrl+p down escape
    """,
    "tensor": """
        n n n s s 2 escape down right right down end home pagedown
        h h h h = = = j j J k j k j k k K j
        r
        > -0.5:0.5
        k k j ! # # # # $ + + - ,
        > 0, :
        ,
        > nonsense
        escape ,
        > :
        \\ | T T } { ctrl+right ctrl+left Y W
        @
        > 1,1
        i
        > 0.25
        i
        > los
        escape s s = u = ) ) ( ( /
        > linear1.weight
        = j s
        /
        > no such thing
        escape ctrl+s
        > a.csv
        ctrl+s
        > a.csv
        escape
    """,
    "jacobian": """
        f n n n s s 3 escape l l v v > < > down right pagedown home
        4 escape l v > < down down enter l z z
        /
        > linear1.weight
        x 3 escape v l 4 escape
        /
        > linear1.out
        y 3 escape v 4 escape x
        5 escape down y down down x 4 escape 3 escape s S f G g
        9 escape down down L down enter L 3 escape z
    """,
    "stops": """
        b c c C down down b B down space space
        o i
        > loss > 1
        B g
        > 1
        B l
        > at {event}: {loss}
        B a
        > backward
        B down d escape c c C
        w
        > norm(linear1.weight)
        w
        > los
        escape 6 escape down s s f w
        > loss
        down D t
        7 escape c
        :
        > delete all
        :
        > info stops
        :
        > until loss < 0.5
        f c G C
    """,
    "prompt": """
        :
        > p norm(linear1.weight)
        :
        > help
        :
        > set optimizer.lr = 0.01
        :
        > goto i3:backward
        :
        > skip update
        : up up up down enter
        : g o t o space tab tab tab escape
        : p space l o tab tab backspace enter escape
        : i n tab enter
        :
        > sx
        :
        > p los
        escape m
        > here a place to remember
        f m
        > there
        ' tab enter
        '
        > none
        escape [ ] ] * _
        7 escape pageup pagedown z z
        :
        > branch other
        f
        :
        > switch main
        :
        > compare main other
        :
        > info tensors
        :
        > display loss
        6 escape s f F
    """,
    "plots": """
        f f f p
        1 2 2 3 4 + + right left - = l l a a x x
        n f F S b r r
        o
        > missing.gradstep
        o
        > v1.gradstep
        ? escape escape
        :
        > set optimizer.lr = 0.5
        f f p b 2 G g r escape
    """,
    "tape": """
        f R
        > a.gradstep
        f f R
        > a.gradstep
        escape
    """,
}
SIZES = ((80, 24), (120, 40))
EXPERIMENTS = ("regression", "everything.toml")
MORE = (  # one size is enough
    *(("iris", (120, 40), chapter) for chapter in CHAPTERS),
    *(("digits", (120, 40), chapter) for chapter in ("panes", "tensor", "jacobian", "plots")),
    *(("bug-exploding", (120, 40), chapter) for chapter in ("panes", "stops", "tensor")),
    *(("deep-relu", (80, 24), chapter) for chapter in ("panes", "jacobian")),
    ("xor", (200, 60), "plots"),
    ("xor", (40, 12), "panes"),
)

Walk = tuple[str, tuple[int, int], str]


def screen_items() -> dict[str, Walk]:
    """Every walk: the experiment, the size of the terminal, the chapter."""
    walks = [
        (name, size, chapter) for name in EXPERIMENTS for size in SIZES for chapter in CHAPTERS
    ]
    return {
        f"screen/{chapter}/{name}-{size[0]}x{size[1]}": (name, size, chapter)
        for name, size, chapter in (*walks, *MORE)
    }


def strokes(chapter: str) -> list[str]:
    """The keys of a chapter one by one; a line for the prompt is one stroke."""
    found: list[str] = []
    for line in CHAPTERS[chapter].splitlines():
        text = line.strip()
        found += [text] if text.startswith("> ") and len(text) > 2 else text.split()
    return found
