"""``torch.autograd.gradcheck`` and ``gradgradcheck``, called as they are and answered by gradcheck."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from inspect import Parameter
from typing import Any

from gradcheck.checking.checks import CHECKS
from gradcheck.plugins.torch_adapter.batched import batched_problems
from gradcheck.plugins.torch_adapter.construction import from_torch
from gradcheck.plugins.torch_adapter.conversion import is_tensor
from gradcheck.plugins.torch_adapter.framework import Tensor
from gradcheck.plugins.torch_adapter.operations import target_behind
from gradcheck.plugins.torch_adapter.precision import NATIVE
from gradcheck.plugins.torch_adapter.torch_module import TorchModule
from gradcheck.surfaces.report import check
from gradcheck.values.module import signature_of
from gradcheck.values.verdict import LOOSEST_THRESHOLD, STRICTEST_THRESHOLD

_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_BACKWARD = tuple(one.name for one in CHECKS if one.name not in ("jvp", "second_order") and not one.survey)


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Verify a function of tensors, as ``torch.autograd.gradcheck`` is called; every check of gradcheck is carried out.

    Arguments:
        func, inputs: the function and what it is called with; inputs that require a gradient are verified, each in
            its own precision.
        rtol: the threshold; the nearest one from 1e-7 to 1e-4, so that the default is 1e-4.
        raise_exception: whether to raise GradcheckError with the report, or to return False.
        check_forward_ad, check_backward_ad: whether forward and reverse mode are verified.
        check_batched_grad, check_batched_forward_grad: whether vmap over cotangents, and over tangents, is compared
            with one at a time.
        eps, atol, nondet_tol, fast_mode: have no meaning here: steps and errors are measured, and so is what a
            repetition differs by; every entry is looked at as fast as projections would be.
        check_undefined_grad, check_grad_dtypes: are looked at in any case.
        masked: sparse inputs are perturbed in their specified entries.

    Raises ValueError if no input requires a gradient.
    """
    del eps, atol, nondet_tol, fast_mode, check_undefined_grad, check_grad_dtypes, masked
    module = _module_of(func, inputs, jvp=check_forward_ad)
    checks = [*(_BACKWARD if check_backward_ad else ("dimensions",)), *(("jvp",) if check_forward_ad else ())]
    report = check(module, {}, threshold=_threshold(rtol), checks=checks)
    problems = [] if report.passed else [str(report)]
    problems += batched_problems(module, backward=check_batched_grad, forward=check_batched_forward_grad)
    return _answer(problems, raise_exception)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Verify the second order of a function of tensors, as ``torch.autograd.gradgradcheck`` is called.

    Arguments:
        func, inputs, rtol, raise_exception: as for ``gradcheck``.
        grad_outputs, gen_non_contig_grad_outputs: have no meaning here: cotangents are drawn.
        check_fwd_over_rev, check_rev_over_rev: the backward is differentiated in reverse mode.
        eps, atol, nondet_tol, check_undefined_grad, check_grad_dtypes, check_batched_grad, fast_mode, masked: as for
            ``gradcheck``; batches are of the first order.

    Raises ValueError if no input requires a gradient, or if backward is marked ``once_differentiable``.
    """
    del grad_outputs, eps, atol, gen_non_contig_grad_outputs, nondet_tol, check_undefined_grad, check_grad_dtypes
    del check_batched_grad, check_fwd_over_rev, check_rev_over_rev, fast_mode, masked
    module = _module_of(func, inputs, double_backward=True)
    if not module.has_double_backward:
        raise ValueError(f"gradgradcheck: the backward of {module.name} is marked once_differentiable: use gradcheck")
    report = check(module, {}, threshold=_threshold(rtol), checks=["second_order"])
    return _answer([] if report.passed else [str(report)], raise_exception)


def _module_of(func: Any, inputs: Any, **options: Any) -> TorchModule:
    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    if not any(is_tensor(value) and value.requires_grad for value in given):
        raise ValueError(
            "gradcheck expects at least one input tensor that requires a gradient; none does: x.requires_grad_()"
        )
    target = target_behind(func)
    return from_torch(target, arguments=_named(target, given), dtype=NATIVE, **options)


def _named(target: Any, given: Sequence[Any]) -> Mapping[str, Any]:
    """The inputs by the names under which the target takes them; numbered where those cannot be told."""
    forward = getattr(target, "forward", target)
    signature = signature_of(forward)
    own = [p.name for p in signature.parameters.values() if p.kind in _BY_POSITION] if signature else []
    own = own[1:] if own[:1] == ["ctx"] else own
    names = own if len(own) >= len(given) else [f"input{index}" for index in range(len(given))]
    return dict(zip(names, given, strict=False))


def _threshold(rtol: float) -> float:
    return min(max(float(rtol), STRICTEST_THRESHOLD), LOOSEST_THRESHOLD)


def _answer(problems: Sequence[str], raise_exception: bool) -> bool:
    if problems and raise_exception:
        raise import_module("torch.autograd.gradcheck").GradcheckError("\n".join(problems))
    return not problems
