"""The adapter that gradcheck asks, once torch has been imported."""

from collections.abc import Mapping
from typing import Any

from gradcheck.plugins.torch_adapter.construction import from_torch
from gradcheck.plugins.torch_adapter.conversion import is_tensor
from gradcheck.plugins.torch_adapter.operations import is_of_torch, target_behind
from gradcheck.plugins.torch_adapter.trees import flattened
from gradcheck.values.adapter import Adapted
from gradcheck.values.errors import PointError


class TorchAdapter:
    """Makes Modules of autograd.Function classes, nn.Module objects and functions of tensors."""

    def recognises(self, target: object, arguments: Mapping[str, Any] | None) -> bool:
        """Whether the target is torch's, or is given a tensor."""
        if is_of_torch(target_behind(target)):
            return True
        given = arguments if isinstance(arguments, Mapping) else {}
        return any(is_tensor(part) for value in given.values() for _, part in flattened("", value))

    def adapt(self, target: Any, arguments: Mapping[str, Any] | None) -> Adapted:
        """The target as a Module with the arguments for defaults, and its leaves.

        Raises TargetError or PointError for what cannot be verified.
        """
        if not isinstance(arguments, Mapping) or not all(isinstance(key, str) for key in arguments):
            given = "no arguments" if arguments is None else f"a {type(arguments).__name__}"
            raise PointError(
                f"{getattr(target, '__name__', type(target).__name__)} was given {given}; expected what it is called"
                f" with, by name, {{'x': tensor}}; to draw points instead, declare its inputs:"
                f" gradcheck.plugins.torch_adapter.from_torch(..., inputs={{'x': real('N D')}})"
            )
        module = from_torch(target, arguments=arguments)
        return Adapted(module, module.defaults)


ADAPTER = TorchAdapter()
