"""An answer as people write it: what was read, so that they see how it was understood."""

from engine.answers.expr import Expr
from engine.answers.names import Names
from engine.functions.function import Activation

INDICES = {"i": "ᵢ", "j": "ⱼ", "k": "ₖ", "m": "ₘ"}
POWERS = {2: "²", 3: "³"}
SUMS = ("sum", "negative")


def spoken(one: Expr, names: Names) -> str:
    """The expression in the symbols of the program."""
    args = [spoken(arg, names) for arg in one.args]
    match one.op:
        case "sum":
            return args[0] + "".join(
                f" − {text[1:]}" if text.startswith("−") else f" + {text}" for text in args[1:]
            )
        case "product":
            return joint(" · ", one, args)
        case "elementwise":
            return joint(" ⊙ ", one, args)
        case "quotient":
            return joint(" / ", one, args, True)
        case "call" | "slope":
            return called(one, args[0])
        case "compare":
            return args[0] + "".join(f" {s} {t}" for s, t in zip(one.data, args[1:], strict=True))
        case "between":
            return f"{one.data}({', '.join(args)})"
        case "logic":
            return f" {one.data} ".join(args)
        case "cases":
            return cases(args)
        case "matrix":
            return matrix(args, *one.data)
    return around(one, args[0]) if args else leaf(one, names)


def leaf(one: Expr, names: Names) -> str:
    """What consists of nothing else."""
    match one.op:
        case "number":
            return f"{one.data:g}"
        case "eye":
            return "I"
        case "kronecker":
            return "δ" + "".join(INDICES[name] for name in one.data)
        case "tensor":
            return names.symbol(one.data)
        case "partial":
            of, wrt, _ = one.data
            return f"∂{names.symbol(of)}/∂{names.symbol(wrt)}"
    return str(one.data)


def around(one: Expr, text: str) -> str:
    """What stands around a single expression: signs, powers, indices."""
    inner = one.args[0]
    tight = held(inner, text, True)
    match one.op:
        case "negative":
            return f"−{held(inner, text)}"
        case "transpose":
            return f"{tight}ᵀ"
        case "power":
            return tight + POWERS.get(one.data, f"^{one.data}")
        case "norm":
            return f"‖{text}‖"
        case "element":
            return tight + indices(one.data)
    return f"Σ{INDICES.get(one.data, '')} {held(inner, text)}"


def indices(names: tuple[str, ...]) -> str:
    """Indices below the line; a comma where numbers would run together."""
    if any(map(str.isdecimal, names)):
        return f"[{', '.join(names)}]"
    return "".join(INDICES[name] for name in names)


def matrix(cells: list[str], rows: int, cols: int) -> str:
    """Rows in brackets."""
    lines = [", ".join(cells[i * cols : (i + 1) * cols]) for i in range(rows)]
    return f"[[{'], ['.join(lines)}]]" if rows > 1 else f"[{lines[0]}]"


def joint(sign: str, one: Expr, args: list[str], tight: bool = False) -> str:
    """Expressions with a sign between them."""
    return sign.join(held(arg, text, tight) for arg, text in zip(one.args, args, strict=True))


def held(one: Expr, text: str, tight: bool = False) -> str:
    """Text in brackets where it would fall apart."""
    loose = one.op in SUMS or one.op in ("cases", "elementwise")
    if tight:
        loose = loose or one.op in ("product", "quotient", "partial", "over")
    return f"({text})" if loose else text


def called(one: Expr, inner: str) -> str:
    """A function of something."""
    if not isinstance(one.data, Activation):
        name = {"total": "sum", "truth": "𝟙"}.get(str(one.data), str(one.data))
        return f"{name}[{inner}]" if name == "𝟙" else f"{name}({inner})"
    if one.data.type == "relu" and one.op == "call":
        return f"({inner})⁺"
    name = "σ" if one.data.type == "sigmoid" else one.data.name
    return f"{name}{'′' if one.op == 'slope' else ''}({inner})"


def cases(args: list[str]) -> str:
    """1 if C, else 0."""
    found = [f"{args[k]} if {args[k + 1]}" for k in range(0, len(args) - 1, 2)]
    return "; ".join(found) + (f", else {args[-1]}" if len(args) % 2 else "")
