"""The function mode as nobody else sees it.

``torch.overrides.has_torch_function`` is true for every tensor while a mode is on, and whoever asks
goes another way: attention leaves its fused kernels, functions call themselves once more. So those
who ask in Python get the answer that they would get without our mode. Around torch.compile, which
would trace all this, everything is as it was.
"""

from __future__ import annotations

import sys
from types import ModuleType

from gradstep_tracer.tracing import Tracing

ASKED = ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic")


class Hiding:
    """Puts the mode on and takes it off."""

    def __init__(self, tracing: Tracing) -> None:
        self.tracing = tracing
        self.mode: object = None
        self.dispatch: object = None  # the mode below autograd, in depth aten
        self.calls: tuple | None = None  # Module, its __call__ and ours
        core = tracing.torch._C
        self.depth = core._len_torch_function_stack
        self.at = core._get_function_stack_at
        self.pop = core._pop_torch_function_stack
        self.push = core._push_on_torch_function_stack
        self.core = core
        self.replaced: list[tuple[ModuleType, str, object, object]] = []

    def on(self) -> None:
        """Put the mode on in this thread."""
        if self.mode is not None and not self.tracing.here.pushed:
            self.push(self.mode)
            self.tracing.here.pushed = True
            if self.dispatch is not None:
                self.core._push_on_torch_dispatch_stack(self.dispatch)

    def below(self) -> bool:
        """Take the mode below autograd off, where it is the innermost one; whether it was."""
        core = self.core
        depth = core._len_torch_dispatch_stack()
        if not depth or core._get_dispatch_stack_at(depth - 1) is not self.dispatch:
            return False
        core._pop_torch_dispatch_stack(None)
        return True

    def on_top(self) -> bool:
        """Whether the mode is the innermost one of this thread."""
        depth = self.depth()
        return depth > 0 and self.at(depth - 1) is self.mode

    def away(self, entirely: bool) -> tuple[bool, bool, bool]:
        """Take the mode off, and with ``entirely`` everything that Python could see of us."""
        off = self.on_top()
        if off:
            self.pop()
            self.tracing.here.pushed = False
        if entirely:
            self.show()
        return off, entirely, self.dispatch is not None and self.below()

    def back(self, was: tuple[bool, bool, bool]) -> None:
        """Undo it."""
        off, entirely, below = was
        if entirely:
            self.hide()
        if off:
            self.push(self.mode)
            self.tracing.here.pushed = True
        if below:
            self.core._push_on_torch_dispatch_stack(self.dispatch)

    def aside(self) -> None:
        """Take the mode off for a step of an optimizer."""
        if self.tracing.here.aside is None:
            self.tracing.here.aside = self.away(False)

    def again(self) -> None:
        """The step is over."""
        was, self.tracing.here.aside = self.tracing.here.aside, None
        if was is not None:
            self.back(was)

    def install(self) -> None:
        """Answer in the place of torch."""
        answers = self.answers()
        for name, module in list(sys.modules.items()):
            if name.split(".", 1)[0] != "torch" or not isinstance(module, ModuleType):
                continue
            for asked in ASKED:
                held = module.__dict__.get(asked)
                if held is not None and held is answers[asked][0]:
                    self.replaced.append((module, asked, held, answers[asked][1]))
        self.hide()
        builtins = sys.modules.get("torch.jit._builtins")
        if builtins is not None:  # scripts are compiled with whatever is called by these names
            for _, ours in answers.values():
                builtins._register_builtin(ours, "aten::has_torch_function")

    def hide(self) -> None:
        """Our answers."""
        for module, name, _, ours in self.replaced:
            setattr(module, name, ours)
        if self.calls is not None:
            kind, _, ours = self.calls
            kind.__call__ = ours

    def show(self) -> None:
        """Torch's own."""
        for module, name, theirs, _ in self.replaced:
            setattr(module, name, theirs)
        if self.calls is not None:
            kind, theirs, ours = self.calls
            kind.__call__ = theirs
            utils = sys.modules.get("torch._dynamo.utils")
            if utils is not None and getattr(utils, "unpatched_nn_module_call", None) is ours:
                utils.unpatched_nn_module_call = theirs

    def answers(self) -> dict:
        """For each question torch's function and ours."""
        torch = self.tracing.torch
        plain = {torch.Tensor, torch.nn.Parameter, type(None), int, float, bool, str}
        depth, at, here = self.depth, self.at, self
        overrides = torch.overrides

        def alone() -> bool:
            return depth() == 1 and at(0) is here.mode

        def asked(question, argument) -> bool:
            was = here.away(False)
            try:
                return question(argument)
            finally:
                here.back(was)

        many = overrides.has_torch_function
        unary = overrides.has_torch_function_unary
        variadic = overrides.has_torch_function_variadic

        def has_torch_function(relevant_args):
            if not alone():
                return many(relevant_args)
            if all(type(one) in plain for one in relevant_args):
                return False
            return asked(many, relevant_args)

        def has_torch_function_unary(argument):
            if not alone():
                return unary(argument)
            return type(argument) not in plain and asked(unary, argument)

        def has_torch_function_variadic(*arguments):
            if not alone():
                return variadic(*arguments)
            for one in arguments:
                if type(one) not in plain:
                    return asked(many, arguments)
            return False

        return {
            "has_torch_function": (many, has_torch_function),
            "has_torch_function_unary": (unary, has_torch_function_unary),
            "has_torch_function_variadic": (variadic, has_torch_function_variadic),
        }
