"""A copy of a user's nn.Module that is run in its place: given parameters, and its buffers as they were."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gradcheck.plugins.torch_adapter.framework import Tensor, torch
from gradcheck.values.errors import TargetError

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
    places: Mapping[str, tuple[tuple[Any, str], ...]]
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


def worker_of(module: Any, taken: frozenset[str], cast: Callable[[Tensor], Tensor] | None) -> Worker:
    """A worker for a user's module, which is left as it is.

    Arguments:
        taken: names of arguments; a parameter of such a name is called ``self.`` and that.
        cast: what is done to every parameter and buffer of the copy.

    Raises TargetError if the module cannot be copied, or has no parameters yet.
    """
    name = type(module).__name__
    if any(torch.nn.parameter.is_lazy(parameter) for parameter in module.parameters()):
        raise TargetError(
            f"{name} has parameters without a shape: call it once, so that they are made, and then check it"
        )
    try:
        twin = copy.deepcopy(module)
    except Exception as error:
        raise TargetError(
            f"{name} cannot be copied, and what is verified is a copy ({type(error).__name__}: {error}):"
            f" keep tensors with a graph, generators and files outside of it, or define __deepcopy__"
        ) from error
    if cast is not None:
        twin._apply(cast)
    owners: dict[int, list[tuple[Any, str]]] = {}
    names: dict[int, str] = {}
    values: dict[int, Tensor] = {}
    for path, owner in twin.named_modules():
        for local, parameter in owner.named_parameters(recurse=False, remove_duplicate=False):
            if parameter.requires_grad:
                name = f"{path}.{local}".lstrip(".")
                names.setdefault(id(parameter), f"{_PREFIX}{name}" if name in taken else name)
                owners.setdefault(id(parameter), []).append((owner, local))
                values[id(parameter)] = parameter
    buffers = tuple(
        (owner, local, buffer.detach().clone())
        for owner in twin.modules()
        for local, buffer in owner.named_buffers(recurse=False)
        if not isinstance(owner, torch.jit.ScriptModule)
    )
    places = {name: tuple(owners[key]) for key, name in names.items()}
    return Worker(twin, places, buffers, {name: values[key].detach() for key, name in names.items()})
