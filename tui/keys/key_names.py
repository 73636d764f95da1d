"""The names of keys: the toolkit's, and those that are read on screen."""

import unicodedata

KEY_NAMES = {
    "number_sign": "#",
    "home": "Home",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "right": "→",
    "left": "←",
    "up": "↑",
    "down": "↓",
    "space": "Space",
    "question_mark": "?",
    "full_stop": ".",
    "equals_sign": "=",
    "dollar_sign": "$",
    "comma": ",",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "plus": "+",
    "minus": "-",
    "shift+right": "Shift+Right",
    "shift+left": "Shift+Left",
    "shift+up": "Shift+Up",
    "shift+down": "Shift+Down",
    "ctrl+right": "Ctrl+Right",
    "ctrl+left": "Ctrl+Left",
    "ctrl+s": "Ctrl+S",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "right_parenthesis": ")",
    "left_parenthesis": "(",
    "colon": ":",
    "slash": "/",
    "at": "@",
    "apostrophe": "'",
    "alt+left": "Alt+Left",
    "alt+right": "Alt+Right",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "escape": "Esc",
    "backspace": "Backspace",
    "ctrl+p": "Ctrl+P",
    "shift+f11": "Shift+F11",
    "f5": "F5",
    "f9": "F9",
    "f10": "F10",
    "f11": "F11",
    "asterisk": "*",
    "underscore": "_",
    "backslash": "\\",
    "vertical_line": "|",
    "exclamation_mark": "!",
}


def key_name(key: str) -> str:
    """A key of the toolkit's as it is read on screen: ``shift+f11`` is Shift+F11."""
    if key in KEY_NAMES:
        return KEY_NAMES[key]
    *modifiers, last = key.split("+")
    if len(last) == 1:
        last = last.upper() if modifiers else last
    else:
        last = character(last) or last.capitalize()
    return "+".join([*(modifier.capitalize() for modifier in modifiers), last])


def character(name: str) -> str:
    """The character of a key that the toolkit calls by its Unicode name; empty for others.

    Empty too for what is no sign to be read: Delete is a control character.
    """
    try:
        found = unicodedata.lookup(name.replace("_", " ").upper())
    except KeyError:
        return ""
    return found if found.isprintable() else ""
