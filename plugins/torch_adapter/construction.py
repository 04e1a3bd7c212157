"""Modules made of what torch people have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck.plugins.torch_adapter.conversion import array_of, is_differentiable, is_tensor, tensor_of
from gradcheck.plugins.torch_adapter.framework import Tensor
from gradcheck.plugins.torch_adapter.operations import operation_of
from gradcheck.plugins.torch_adapter.places import Place, place_of, place_of_parameter, values_of
from gradcheck.plugins.torch_adapter.precision import FLOAT64, NATIVE, is_narrow, require_precision, widened
from gradcheck.plugins.torch_adapter.torch_module import TorchModule
from gradcheck.plugins.torch_adapter.trees import Slot, flattened, mapped
from gradcheck.plugins.torch_adapter.trials import tried
from gradcheck.values.aliases import Leaves
from gradcheck.values.errors import ModuleError, PointError


@dataclass(frozen=True)
class Given:
    """Arguments taken apart.

    Arguments:
        tree: the arguments, with slots for leaves.
        leaves, places: the leaves as tensors, and what they are made into.
    """

    tree: Mapping[str, Any]
    leaves: Mapping[str, Tensor]
    places: Mapping[str, Place] = field(default_factory=dict)


def given_of(arguments: Mapping[str, Any], *, wide: bool) -> Given:
    """Arguments taken apart into leaves, which are perturbed, and everything else, which is passed on.

    Leaves are the tensors that require a gradient; if none does, all that hold floating-point or complex numbers.
    """
    tensors = {path: value for path, value in _tensors(arguments) if is_differentiable(value)}
    marked = {path for path, value in tensors.items() if value.requires_grad}
    chosen = marked or {*tensors}
    leaves, places = {}, {}
    for path in tensors:
        if path in chosen:
            values = widened(values_of(tensors[path])) if wide else values_of(tensors[path])
            leaves[path], places[path] = values, place_of(tensors[path], values.dtype)

    def change(path: str, value: Any) -> Any:
        if path in chosen:
            return Slot(path)
        found = tensor_of(value) if _is_array(value) else value
        if not is_tensor(found):
            return found
        kept = found.detach().clone()
        return widened(kept) if wide else kept

    tree = {name: mapped(name, value, change) for name, value in arguments.items()}
    return Given(tree, leaves, places)


def _tensors(arguments: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    for name, value in arguments.items():
        for path, part in flattened(name, value):
            if is_tensor(part):
                yield path, part
            elif _is_array(part):
                yield path, tensor_of(part)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fciub"


def module_at(target: Any, arguments: Mapping[str, Any], *, dtype: str = FLOAT64, **options: Any) -> TorchModule:
    """A module with the given arguments for defaults, in float64 if the target takes that, or in its own dtype.

    Raises PointError if the arguments do not fit, TargetError if there is no such target.
    """
    require_precision(dtype)
    if dtype == NATIVE:
        return _as_far_as_tried(*_made(target, arguments, options, wide=False))
    module, leaves = _made(target, arguments, options, wide=True)
    narrow = any(is_narrow(tensor.dtype) for _, tensor in _tensors(arguments))
    if not narrow and module.operation.worker is None:
        return _as_far_as_tried(module, leaves)
    try:
        facts = tried(module, leaves)
    except Exception:
        return _as_far_as_tried(*_made(target, arguments, options, wide=False))
    if not facts.dtypes_kept:  # it computes in its own precision whatever it is given
        return _as_far_as_tried(*_made(target, arguments, options, wide=False))
    return replace(module, facts=facts, stochastic=facts.draws)


def _as_far_as_tried(module: TorchModule, leaves: Leaves) -> TorchModule:
    try:
        facts = tried(module, leaves)
    except (PointError, ModuleError):
        raise
    except Exception:
        return module  # which will say so when it is verified
    return replace(module, facts=facts, stochastic=facts.draws)


def _made(
    target: Any, arguments: Mapping[str, Any], options: Mapping[str, Any], *, wide: bool
) -> tuple[TorchModule, Leaves]:
    given = given_of(arguments, wide=wide)
    operation = operation_of(target, frozenset(given.leaves), widened if wide else None)
    own = {name: place_of_parameter(value) for name, value in operation.parameters.items()}
    leaves = {name: array_of(value) for name, value in {**given.leaves, **operation.parameters}.items()}
    if not leaves:
        raise PointError(
            f"{operation.name}: no argument holds floating-point numbers, and there is no parameter: give a tensor"
            f" of floating-point or complex numbers to be perturbed, x.double()"
        )
    module = TorchModule(
        operation, options.get("name") or operation.name, given.tree, places={**given.places, **own}, defaults=leaves
    )
    return module, leaves
