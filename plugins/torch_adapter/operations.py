"""What is verified: an autograd.Function, an nn.Module or a function of tensors, and what is known of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import Signature, getattr_static
from typing import Any

from gradcheck.adapters.functions import function_name
from gradcheck.plugins.torch_adapter.framework import Tensor, torch
from gradcheck.plugins.torch_adapter.precision import Cast
from gradcheck.plugins.torch_adapter.workers import Worker, worker_of
from gradcheck.values.errors import TargetError
from gradcheck.values.module import signature_of

_Function = torch.autograd.Function


@dataclass(frozen=True, eq=False)
class Operation:
    """A callable of tensors.

    Arguments:
        call, signature: what is called and what it takes; None if that cannot be told.
        origin: what an editor should open.
        worker: whose parameters are leaves, of an nn.Module.
        by_name: whether arguments may be given by name.
        forward_mode: whether it defines a forward mode of its own.
        hand_written: whether it is an autograd.Function, all of whose outputs are differentiable unless it marks them.
        twice: whether its backward may be differentiated.
        batched: whether it can be tried under vmap.
    """

    call: Callable[..., Any]
    name: str
    origin: object
    signature: Signature | None
    worker: Worker | None = None
    by_name: bool = True
    forward_mode: bool = False
    hand_written: bool = False
    twice: bool = True
    batched: bool = True
    parameters: Mapping[str, Tensor] = field(default_factory=dict)


def is_function_class(target: object) -> bool:
    """Whether something is an autograd.Function class."""
    return isinstance(target, type) and issubclass(target, _Function)


def is_of_torch(target: object) -> bool:
    """Whether something is torch's by its own type."""
    kinds = (torch.nn.Module, torch.jit.ScriptFunction)
    return isinstance(target, kinds) or is_function_class(target) or _is_module_class(target)


def target_behind(target: Any) -> Any:
    """The autograd.Function of an ``apply`` and the nn.Module of a ``forward``; anything else as it is."""
    owner, name = getattr(target, "__self__", None), getattr(target, "__name__", "")
    known = is_function_class(owner) if name == "apply" else isinstance(owner, torch.nn.Module) and name == "forward"
    return owner if known else target


def operation_of(target: Any, taken: frozenset[str], cast: Cast) -> Operation:
    """What is known of a target; an nn.Module is copied.

    Arguments:
        taken: names of arguments.
        cast: what is done to the parameters and buffers of an nn.Module.

    Raises TargetError for anything but an autograd.Function class, an nn.Module or a callable.
    """
    if is_function_class(target):
        return _of_function_class(target)
    if isinstance(target, torch.nn.Module):
        worker = worker_of(target, taken, cast)
        call = worker.module.__call__
        forward = signature_of(worker.module.forward)
        origin = getattr_static(type(target), "forward", target)
        return Operation(call, type(target).__name__, origin, forward, worker, parameters=worker.initial)
    if callable(target) and not isinstance(target, type):
        return Operation(target, function_name(target), target, signature_of(target))
    raise TargetError(
        f"check was given {_described(target)}; expected an autograd.Function class, an nn.Module object or a function"
        f" of tensors{_advice(target)}"
    )


def _of_function_class(target: Any) -> Operation:
    separate = target.setup_context is not _Function.setup_context
    signature = signature_of(target.forward)
    if signature is not None and not separate:
        signature = signature.replace(parameters=list(signature.parameters.values())[1:])  # without ctx
    return Operation(
        target.apply,
        target.__name__,
        target.backward,
        signature,
        by_name=False,
        hand_written=True,
        forward_mode=target.jvp is not _Function.jvp,
        twice=not _is_once_differentiable(target.backward),
        batched=separate and (target.generate_vmap_rule or target.vmap is not _Function.vmap),
    )


def _is_once_differentiable(backward: Any) -> bool:
    # torch's decorator leaves no other mark than where the function that it returns is defined.
    while hasattr(backward, "__wrapped__"):
        if getattr(getattr(backward, "__code__", None), "co_filename", "") == _ONCE_DIFFERENTIABLE:
            return True
        backward = backward.__wrapped__
    return False


_ONCE_DIFFERENTIABLE = torch.autograd.function.once_differentiable.__code__.co_filename


def _is_module_class(target: object) -> bool:
    return isinstance(target, type) and issubclass(target, torch.nn.Module)


def _described(target: object) -> str:
    if isinstance(target, type):
        return f"the class {target.__name__}"
    return f"{target!r:.40}, of type {type(target).__name__}"


def _advice(target: object) -> str:
    if _is_module_class(target):
        return f": make an object, {getattr(target, '__name__', '')}(...)"
    return "; an object with forward and backward takes numpy arrays" if hasattr(target, "backward") else ""
