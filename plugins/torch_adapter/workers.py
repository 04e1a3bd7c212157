"""A copy of a user's nn.Module that is run in its place: given parameters, and its buffers as they were."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from gradcheck.plugins.torch_adapter.framework import Tensor, torch
from gradcheck.plugins.torch_adapter.precision import Cast, as_it_is
from gradcheck.values.errors import TargetError

# An nn.Module, and the name under which it holds a parameter.
Holder: TypeAlias = tuple[Any, str]
_PREFIX = "self."


@dataclass(frozen=True, eq=False)
class Worker:
    """A copy of an nn.Module.

    Arguments:
        module: the copy; the user's own object is never run.
        places: for every parameter the modules that hold it, with its name there: several if it is tied.
        buffers: who holds a buffer, its name there, and its value.
        initial: the parameters' values.
    """

    module: Any
    places: Mapping[str, tuple[Holder, ...]]
    buffers: tuple[tuple[Any, str, Tensor], ...]
    initial: Mapping[str, Tensor]

    def load(self, leaves: Mapping[str, Tensor]) -> None:
        """Put tensors in the place of the parameters, and the buffers back to what they were."""
        for name, places in self.places.items():
            for owner, local in places:
                _put(owner, local, leaves[name])
        # Clones, since backward may read what an earlier forward has left.
        for owner, local, value in self.buffers:
            owner._buffers[local] = value.clone()


def _put(owner: Any, local: str, tensor: Tensor) -> None:
    if isinstance(owner, torch.jit.ScriptModule):
        setattr(owner, local, tensor)
        return
    owner._parameters[local] = tensor
    flat = getattr(owner, "_flat_weights_names", None)
    if flat is not None:  # recurrent layers keep a list of their own
        owner._flat_weights = [getattr(owner, name, None) for name in flat]


def worker_of(module: Any, taken: frozenset[str], cast: Cast) -> Worker:
    """A worker for a user's module, which is left as it is.

    Arguments:
        taken: names of arguments; a parameter of such a name is called ``self.`` and that.
        cast: what is done to every parameter and buffer of the copy.

    Raises TargetError if the module cannot be copied, or has no parameters yet.
    """
    twin = _copied(module)
    if cast is not as_it_is:
        twin._apply(cast)
    held = {f"{_PREFIX}{name}" if name in taken else name: one for name, one in _trained(twin).items()}
    buffers = tuple(
        (owner, local, buffer.detach().clone())
        for owner in twin.modules()
        for local, buffer in owner.named_buffers(recurse=False)
        if not isinstance(owner, torch.jit.ScriptModule)
    )
    places = {name: tuple(holders) for name, (_, holders) in held.items()}
    return Worker(twin, places, buffers, {name: parameter.detach() for name, (parameter, _) in held.items()})


def _copied(module: Any) -> Any:
    name = type(module).__name__
    if any(torch.nn.parameter.is_lazy(parameter) for parameter in module.parameters()):
        raise TargetError(
            f"{name} has parameters without a shape: call it once, so that they are made, and then check it"
        )
    try:
        with torch.no_grad():  # a script would record the copying
            return copy.deepcopy(module)
    except Exception as error:
        raise TargetError(
            f"{name} cannot be copied, and what is verified is a copy ({type(error).__name__}: {error}):"
            f" keep tensors with a graph, generators and files outside of it, or define __deepcopy__"
        ) from error


def _trained(module: Any) -> dict[str, tuple[Tensor, list[Holder]]]:
    """Every parameter that has a gradient by the first of its names, with all that hold it."""
    found: dict[int, tuple[Tensor, list[Holder]]] = {}
    names: dict[int, str] = {}
    for path, owner in module.named_modules():
        for local, parameter in owner.named_parameters(recurse=False, remove_duplicate=False):
            if parameter.requires_grad:
                names.setdefault(id(parameter), f"{path}.{local}".lstrip("."))
                found.setdefault(id(parameter), (parameter, []))[1].append((owner, local))
    return {names[key]: one for key, one in found.items()}
