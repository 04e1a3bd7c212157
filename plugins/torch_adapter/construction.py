"""Modules made of what torch people have."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from gradcheck.plugins.torch_adapter.arguments import tensors_in
from gradcheck.plugins.torch_adapter.framework import DType, torch
from gradcheck.plugins.torch_adapter.grad_mode import recording
from gradcheck.plugins.torch_adapter.making import made_at, made_of
from gradcheck.plugins.torch_adapter.operations import target_behind
from gradcheck.plugins.torch_adapter.precision import FLOAT64, NATIVE, Cast, cast_to, is_narrow
from gradcheck.plugins.torch_adapter.torch_module import TorchModule
from gradcheck.plugins.torch_adapter.trials import tried_out
from gradcheck.values.declarations import Declaration
from gradcheck.values.errors import ConfigurationError


def from_torch(
    target: Any,
    *,
    arguments: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Declaration] | None = None,
    parameters: Mapping[str, Declaration] | None = None,
    outputs: Mapping[str, str] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    name: str | None = None,
    dtype: Any = FLOAT64,
    stochastic: bool | None = None,
    jvp: bool | None = None,
    double_backward: bool = False,
    reference: Any = None,
    kinks: Mapping[str, Sequence[float]] | None = None,
    waive: Mapping[str, str] | None = None,
) -> TorchModule:
    """Make a Module of an autograd.Function class, an nn.Module object or a function of tensors.

    Arguments:
        arguments: what it is called with, by name: tensors, tuples, lists and dicts of them, and anything else. They
            are the point at which ``gradcheck.check(module, {})`` verifies it. Tensors that require a gradient are
            perturbed; if none does, all that hold floating-point or complex numbers.
        inputs: declarations instead, so that it can be verified at drawn points; a leaf inside of an argument has a
            path for its name, such as ``state[0]`` or ``options.scale``.
        parameters, outputs: more declarations; an nn.Module's parameters need none.
        kwargs: arguments that are passed on as they are.
        name: name in reports; the target's own if left out.
        dtype: ``"float64"`` verifies a copy in double precision; ``"native"`` the object in its own, as does one that
            takes no double precision; ``"float32"``, ``"float16"`` and ``"bfloat16"`` a copy in that.
        stochastic: whether it draws from torch's generators, which then begin in the same way every time; found out
            if left out.
        jvp: whether to verify forward mode; that of an autograd.Function which defines one if left out.
        double_backward: whether to verify the second order, unless backward is marked ``once_differentiable``.
        reference, kinks, waive: facts of the module, see ``gradcheck.Module``.

    Raises ConfigurationError, PointError, DeclarationError or TargetError for what cannot be verified.

    >>> import torch
    >>> from gradcheck import check, real
    >>> from gradcheck.plugins.torch_adapter import from_torch
    >>> softsign = from_torch(torch.nn.functional.softsign, inputs={"input": real("N D")})
    >>> check(softsign).verdict
    <Verdict.PASS: 'pass'>
    """
    if (arguments is None) == (inputs is None):
        raise ConfigurationError(
            f"from_torch was given {'neither arguments nor' if inputs is None else 'both arguments and'} inputs;"
            f" expected arguments, to verify at these, or inputs, declarations to draw points from"
        )
    target, cast, given = target_behind(target), cast_to(dtype), arguments or {}

    def made(cast: Cast) -> TorchModule:
        if inputs is None:
            module = made_at(target, given, kwargs or {}, cast)
        else:
            module = made_of(target, inputs, parameters or {}, kwargs or {}, cast)
        return replace(
            module,
            name=name or module.name,
            outputs=outputs or {},
            reference=reference,
            kinks=kinks or {},
            waive=waive or {},
            with_jvp=module.operation.forward_mode if jvp is None else jvp,
            with_double_backward=double_backward,
        )

    narrow = any(is_narrow(one) for one in _dtypes(target, given, inputs or {}))
    casts = [cast, cast_to(NATIVE)] if str(dtype) == FLOAT64 and narrow else [cast]
    with recording():  # what is cloned in inference mode could not be saved for backward
        module = tried_out([partial(made, cast) for cast in casts])
    module = replace(module, notes=tuple(_notes(module, given, len(casts) > 1)))
    return module if stochastic is None else replace(module, stochastic=stochastic)


def _notes(module: TorchModule, arguments: Mapping[str, Any], doubled: bool) -> Iterator[str]:
    """What is verified otherwise than one would think, or not at all."""
    narrow = {str(place.dtype).removeprefix("torch.") for place in module.places.values() if is_narrow(place.dtype)}
    if doubled and narrow:
        yield f"verified in its own precision ({', '.join(sorted(narrow))}), since it does not compute in float64"
    floating = (path for path, tensor in tensors_in(arguments) if tensor.is_floating_point() or tensor.is_complex())
    passed_on = [path for path in floating if path not in module.places]
    if passed_on:
        yield f"not verified, since others require a gradient: {', '.join(passed_on)}"


def _dtypes(target: Any, arguments: Mapping[str, Any], inputs: Mapping[str, Declaration]) -> Iterator[DType]:
    """The dtypes of everything that would be cast."""
    yield from (tensor.dtype for _, tensor in tensors_in(arguments))
    yield from (getattr(torch, declared.dtype, None) for declared in inputs.values())
    if isinstance(target, torch.nn.Module):
        yield from (tensor.dtype for tensor in (*target.parameters(), *target.buffers()))
