"""A rule in lines as a function of plain PyTorch: ``update(parameter, kept, …)``."""

import ast
from collections.abc import Iterator

from engine.errors import GradstepError
from engine.expressions.names import CONSTANTS
from engine.optim.lines import COUNT, GRAD, THETA, Lines
from engine.program.update import Updates

# What the function calls a thing itself: a line that assigns it would change its meaning.
OWN = {"torch", "math", "array", "parameter", "kept"}
ARRAY = '''def array(value):
    """A number as a tensor, which the functions of PyTorch want."""
    return value if torch.is_tensor(value) else torch.tensor(value, dtype=torch.float64)
'''
STEP = """

def step():
    \"\"\"One step of all parameters.\"\"\"
    for parameter, slots, given in zip(trained, kept, numbers):
        update(parameter, slots, **given)

"""
EACH = (
    "abs sqrt exp log log10 log2 sin cos sign floor ceil round sigmoid tanh relu "
    "isnan isinf isfinite minimum maximum any all sum mean"
)
TORCH = {name: f"torch.{name}" for name in EACH.split()} | {
    "min": "torch.amin",
    "max": "torch.amax",
    "norm": "torch.linalg.vector_norm",
    "std": "torch.std",
    "var": "torch.var",
}
OVER_N = ("std", "var")  # which divide by n − 1 in PyTorch


def own_rule_lines(rule: Lines) -> Iterator[str]:
    """The source of the functions ``update`` and ``step``, line by line.

    A GradstepError where PyTorch has no such thing as a line says.
    """
    names = {*rule.numbers, *(one.name for one in rule.statements)}
    if taken := sorted(names & OWN):
        raise GradstepError(f"optimizer.lines: {taken[0]} means something else in a script")
    yield from ARRAY.splitlines()
    yield from ("", "", "@torch.no_grad()")
    yield f"def update({', '.join(['parameter', 'kept', *rule.hyper])}):"
    yield '    """One step of a parameter that has a gradient."""'
    yield "    if parameter.grad is None:"
    yield "        return"
    yield f"    {THETA}, {GRAD} = parameter, parameter.grad"
    for slot in rule.slots:
        yield f'    {slot} = kept["{slot}"]{" + 1" if slot == COUNT else ""}'
    for one in rule.statements:
        yield f"    {one.name} = {torch_text(one.expression.text)}"
    for slot in rule.slots:  # a copy: what is kept may be the parameter, or its gradient
        yield f'    kept["{slot}"] = {slot if slot == COUNT else f"{slot}.clone()"}'
    yield f"    parameter.copy_({THETA})"
    yield from STEP.splitlines()


def number_lines(updates: Updates) -> Iterator[str]:
    """The statement that says the numbers of the rule, for each parameter that is moved."""
    yield "numbers = ["
    yield from (f"    {updates.rule(one)[0].hyper!r},  # {one.name}" for one in updates.moved)
    yield "]"


def torch_text(text: str) -> str:
    """An expression of the lines as one of PyTorch; a GradstepError where there is none."""
    return ast.unparse(Translation().visit(ast.parse(text.strip(), mode="eval")))


class Translation(ast.NodeTransformer):
    """Functions and constants under the names that they have in PyTorch and Python."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return expression(f"math.{node.id}") if node.id in CONSTANTS else node

    def visit_Slice(self, node: ast.Slice) -> ast.AST:
        if node.step is not None:
            raise refused("a slice with a step")
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)  # the lines call nothing but functions by name
        name, given = node.func.id, [self.visit(argument) for argument in node.args]
        if name == "where":
            return expression("torch.where(array({}) != 0, {}, {})", *given)
        if name == "clip":
            return expression(
                "torch.minimum(torch.maximum(array({}), array({})), array({}))", *given
            )
        if name not in TORCH:
            raise refused(f"{name}(…)")
        wanted = 2 if name in ("minimum", "maximum") else 1
        axes = [*given[wanted:], *(keyword.value for keyword in node.keywords)]
        options = [f"dim={ast.unparse(axis)}" for axis in axes]
        options += ["correction=0"] if name in OVER_N else []
        arrays = [f"array({ast.unparse(one)})" for one in given[:wanted]]
        return expression(f"{TORCH[name]}({', '.join([*arrays, *options])})")


def expression(form: str, *parts: ast.expr) -> ast.expr:
    """The tree of a text with expressions in its holes."""
    return ast.parse(form.format(*map(ast.unparse, parts)), mode="eval").body


def refused(what: str) -> GradstepError:
    """What cannot be written in PyTorch."""
    return GradstepError(f"optimizer.lines: {what} cannot be written as a script of PyTorch")
