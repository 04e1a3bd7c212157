"""TorchModules before anything has been found out by running them: at given arguments, or of declarations."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gradcheck.plugins.torch_adapter.arguments import given_of
from gradcheck.plugins.torch_adapter.calling import arrangements, with_defaults
from gradcheck.plugins.torch_adapter.conversion import array_of
from gradcheck.plugins.torch_adapter.framework import DType, Tensor, torch
from gradcheck.plugins.torch_adapter.operations import Operation, operation_of
from gradcheck.plugins.torch_adapter.places import Place, place_of, place_of_parameter
from gradcheck.plugins.torch_adapter.precision import Cast
from gradcheck.plugins.torch_adapter.torch_module import TorchModule
from gradcheck.plugins.torch_adapter.trees import tree_of
from gradcheck.values.declarations import Declaration, like
from gradcheck.values.errors import DeclarationError, PointError, did_you_mean


def made_at(target: Any, arguments: Mapping[str, Any], constants: Mapping[str, Any], cast: Cast) -> TorchModule:
    """A module whose leaves have the given arguments for defaults."""
    given = given_of(arguments, cast)
    operation = operation_of(target, frozenset(given.leaves), cast)
    defaults = {name: array_of(value) for name, value in {**given.leaves, **operation.parameters}.items()}
    if not defaults:
        raise PointError(
            f"{operation.name}: no argument holds floating-point numbers, and there is no parameter: give a tensor"
            f" of floating-point or complex numbers to be perturbed, such as x.double()"
        )
    module = _module(operation, {**given.tree, **constants}, given.places)
    return replace(module, defaults=defaults)


def made_of(
    target: Any,
    inputs: Mapping[str, Declaration],
    parameters: Mapping[str, Declaration],
    constants: Mapping[str, Any],
    cast: Cast,
) -> TorchModule:
    """A module with declarations."""
    operation = operation_of(target, frozenset(inputs), cast)
    own = operation.parameters
    if own:
        _require_known(operation, parameters)
    arguments = {**inputs, **({} if own else parameters)}
    first: Tensor = next(iter(own.values()), torch.zeros(()))
    dtypes = {name: _dtype(declared, first.dtype if own else None, cast) for name, declared in arguments.items()}
    places = {name: Place(dtype, place_of(first, dtype).device) for name, dtype in dtypes.items()}
    module = _module(operation, {**tree_of(arguments), **constants}, places)
    declared = {name: _declared_as(declared, dtypes[name]) for name, declared in arguments.items()}
    values = {name: array_of(value) for name, value in own.items()}
    return replace(
        module,
        defaults=values,
        inputs={name: declared[name] for name in inputs},
        parameters={
            **{name: declared[name] for name in parameters if name in declared},
            **{name: parameters.get(name, like(value)) for name, value in values.items()},
        },
    )


def _module(operation: Operation, arguments: Mapping[str, Any], places: Mapping[str, Place]) -> TorchModule:
    arguments = arguments if operation.by_name else with_defaults(operation.signature, arguments)
    own = {name: place_of_parameter(value) for name, value in operation.parameters.items()}
    ways = tuple(arrangements(operation.name, operation.signature, arguments))
    places = {**places, **own}
    return TorchModule(operation=operation, name=operation.name, tree=arguments, ways=ways, places=places)


def _require_known(operation: Operation, parameters: Mapping[str, Declaration]) -> None:
    for name in parameters:
        if name not in operation.parameters:
            known = list(operation.parameters)
            raise DeclarationError(
                f"{operation.name} has no parameter {name!r}; it has {', '.join(known)}{did_you_mean(name, known)}"
            )


def _dtype(declared: Declaration, of_module: DType, cast: Cast) -> DType:
    """The dtype in which a declared leaf is given: as declared, or as a module has its parameters, and then cast."""
    if not declared.differentiable:
        return None
    own = getattr(torch, declared.dtype, None)
    return cast(torch.zeros((), dtype=own if of_module is None or own is None or own.is_complex else of_module)).dtype


def _declared_as(declared: Declaration, dtype: DType) -> Declaration:
    """A declaration in the dtype that arrays have for a dtype of torch."""
    if dtype is None:
        return declared
    return replace(declared, dtype=str(array_of(torch.zeros((), dtype=dtype)).dtype))
