"""Objects of autograd, as gradcheck.check is given them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from gradcheck.plugins.autograd_adapter.building import from_autograd, name_of
from gradcheck.plugins.autograd_adapter.framework import is_of_autograd
from gradcheck.values.adapter import Adapted
from gradcheck.values.errors import PointError, TargetError


class AutogradAdapter:
    """Recognises primitives and the functions of autograd.numpy; any other function is as good as plain numpy."""

    def recognises(self, target: object, arguments: Mapping[str, Any] | None) -> bool:
        """Whether the target is a primitive, or a function that autograd brings."""
        del arguments
        while isinstance(target, partial):
            target = target.func
        return is_of_autograd(target)

    def adapt(self, target: Any, arguments: Mapping[str, Any] | None) -> Adapted:
        """The function as a Module, and its arguments as leaves."""
        name = name_of(target)
        if arguments is None:
            raise TargetError(
                f"{name} is a function of autograd, and declares nothing: give its arguments,"
                f" check({name}, {{'x': ...}}), or declare them with"
                f" gradcheck.plugins.autograd_adapter.from_autograd({name}, inputs={{'x': real('N D')}})"
            )
        if not isinstance(arguments, Mapping):
            given = type(arguments).__name__
            raise PointError(f"{name} was given a {given}; expected its arguments by name, as in {{'x': array}}")
        module = from_autograd(target, arguments=arguments)
        return Adapted(module, module.defaults)
