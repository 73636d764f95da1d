"""Written symbols and sentences for LaTeX: plain ASCII that any LaTeX engine takes."""

import re
import unicodedata

ACCENTS = {
    "\u0300": r"\`", "\u0301": r"\'", "\u0302": r"\^", "\u0303": r"\~", "\u0308": r'\"',
    "\u030a": r"\r", "\u0327": r"\c", "\u030c": r"\v", "\u0304": r"\=", "\u0306": r"\u",
}  # fmt: skip
SPELLED = {"ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}", "Æ": r"\AE{}", "ł": r"\l{}"}
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
LETTERS = {
    "ŷ": r"\hat{y}", "ℓ": r"\ell", "θ": r"\theta", "η": r"\eta", "λ": r"\lambda", "μ": r"\mu",
    "τ": r"\tau", "ε": r"\varepsilon", "σ": r"\sigma", "Φ": r"\Phi", "φ": r"\varphi",
    "δ": r"\delta", "β": r"\beta", "α": r"\alpha", "π": r"\pi", "∇": r"\nabla ",
    "∂": r"\partial ", "Σ": r"\sum ", "√": r"\surd ", "½": r"\tfrac{1}{2}",
    "¼": r"\tfrac{1}{4}", "−": "-", "·": r"\cdot ", "×": r"\times ", "←": r"\leftarrow ",
    "⊙": r"\odot ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∈": r"\in ", "‖": r"\Vert ",
    "ᵀ": r"^{\top}", "²": "^{2}", "⁺": "^{+}", "ᵢ": "_{i}", "ⱼ": "_{j}", "′": "'",
    "\u0302": "", "…": r"\ldots ", "→": r"\to ", "∞": r"\infty ",
    "γ": r"\gamma", "ω": r"\omega", "ρ": r"\rho", "ν": r"\nu", "ξ": r"\xi", "χ": r"\chi",
    "ψ": r"\psi", "ζ": r"\zeta", "Δ": r"\Delta", "Γ": r"\Gamma", "Θ": r"\Theta",
    "Λ": r"\Lambda", "Ω": r"\Omega", "Ψ": r"\Psi", "Ξ": r"\Xi", "Π": r"\Pi",
    "↦": r"\mapsto ", "ₙ": "_{n}",
    "⌊": r"\lfloor ", "⌋": r"\rfloor ", "ᵏ": "^{k}", "ᵗ": "^{t}", "κ": r"\kappa ", "±": r"\pm ",
}  # fmt: skip
ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "#": r"\#", "$": r"\$", "%": r"\%",
    "&": r"\&", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    "’": "'", "‘": "`", "“": "``", "”": "''", "–": "--", "—": "---",
}  # fmt: skip
SCRIPTS = "₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁻"
FORMULA = re.compile(r"(?:[A-Za-z](?![A-Za-z])|[0-9 ()\[\]/=+.|-])*")
NAME = re.compile(r"[A-Za-z_][\w.]+", re.ASCII)
INDEXED = re.compile(r"^(\D*?)([₀-₉]*)(?:⁽([⁰¹²³⁴⁵⁶⁷⁸⁹]+)⁾)?$")


def symbol_latex(name: str) -> str:
    """The LaTeX of a symbol: ``z₁₂`` as ``z_{12}``, ``W⁽¹⁾`` as ``W^{(1)}``, ``ŷ`` with a hat."""
    found = INDEXED.match(name)
    if found is None:
        return named(name) if NAME.fullmatch(name) else math_latex(name)
    stem, sub, sup = found.groups()
    out = LETTERS.get(stem) or named(stem)
    out += f"_{{{sub.translate(SUBSCRIPTS)}}}" if sub else ""
    return out + (f"^{{({sup.translate(SUPERSCRIPTS)})}}" if sup else "")


def math_latex(text: str, words: bool = False) -> str:
    """A line of Unicode mathematics for math mode, character by character.

    With ``words``, whatever has two letters or more stands upright, with its spaces.
    """
    if words:
        parts = re.split(r"( ?[A-Za-z]{2,}(?: [A-Za-z]{2,})* ?)", text)
        return "".join(
            rf"\text{{{part}}}" if i % 2 else math_latex(part) for i, part in enumerate(parts)
        )
    # m̂ and v̂ have no character of their own: a letter and a combining circumflex
    text = re.sub(r"([a-z])\u0302", r"\\hat{\1}", text)
    text = re.sub(r"[₀-₉]+", lambda m: f"_{{{m[0].translate(SUBSCRIPTS)}}}", text)
    text = re.sub(r"⁽([⁰¹²³⁴⁵⁶⁷⁸⁹]+)⁾", lambda m: f"^{{({m[1].translate(SUPERSCRIPTS)})}}", text)
    text = re.sub(r"⁻?[⁰¹³⁴⁵⁶⁷⁸⁹][⁰¹²³⁴⁵⁶⁷⁸⁹]*", power, text)
    return "".join(math_char(c) for c in text)


def named(stem: str) -> str:
    """A name in math mode: digits at its end are an index, more letters than one stand together."""
    letter, digits = stem[:1], stem[1:]
    if letter.isalpha() and digits.isdecimal() and stem.isascii():
        return f"{letter}_{{{digits}}}"
    if len(stem) < 2 and stem.isascii():
        return stem
    if stem.isidentifier() and stem.isascii():
        return rf"\mathit{{{upright(stem)}}}"
    return rf"\text{{{upright(stem)}}}"


def math_char(c: str) -> str:
    """One character for math mode; one of another script stands upright."""
    if c in LETTERS or c.isascii():
        return LETTERS.get(c, c)
    return rf"\text{{{upright(c)}}}"


def upright(text: str) -> str:
    """A name of any script for text mode."""
    return "".join(map(prose_char, text))


def power(found: re.Match[str]) -> str:
    """The LaTeX of an exponent matched in superscripts: ``⁻¹²`` as ``^{-12}``."""
    return f"^{{{found[0].replace('⁻', '-').translate(SUPERSCRIPTS)}}}"


def prose_latex(text: str) -> str:
    """A sentence for LaTeX's text mode: mathematics between dollars, the rest escaped."""
    return "".join(
        f"${math_latex(part)}$" if is_mathematics(part) else "".join(map(prose_char, part))
        for part in re.split(r"([,:;]?(?:\s+|$))", text)
    )


def is_mathematics(word: str) -> bool:
    """Whether a word is a formula: symbols of ours, single letters, numbers, parentheses."""
    plain = "".join(c if c.isascii() else " " for c in word)
    symbols = [c for c in word if not c.isascii()]
    known = all(c in LETTERS or c in SCRIPTS for c in symbols)
    return bool(symbols) and known and FORMULA.fullmatch(plain) is not None


def prose_char(c: str) -> str:
    """One character of a sentence; unknown ones by their code, so that nothing fails."""
    if c in ESCAPES:
        return ESCAPES[c]
    if c.isascii() and c.isprintable():
        return c
    if c in LETTERS or c in SCRIPTS:
        return f"${{}}{math_latex(c)}$"  # {} for a script, which must have something to stand at
    apart = unicodedata.normalize("NFD", c)
    base, mark = apart[:1], apart[1:]
    if base.isascii() and base.isalpha() and mark in ACCENTS:
        return f"{ACCENTS[mark]}{{{base}}}"
    return SPELLED.get(c, f"[U+{ord(c):04X}]")
