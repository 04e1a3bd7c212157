"""Forward mode, and the backward of the backward."""

import warnings
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module

from gradcheck.adapters.derived import COTANGENT
from gradcheck.plugins.torch_adapter.framework import Tensor, torch
from gradcheck.plugins.torch_adapter.pulling_back import Graph
from gradcheck.values.errors import ModuleError

_forward_ad = torch.autograd.forward_ad


@cache
def _prepare() -> None:
    """Import what forward mode imports when it is first used, and which warns of torch's own use of torch.jit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_module("torch._decomp.decompositions_for_jvp")


def pushed_forward(
    run: Callable[[Mapping[str, Tensor]], dict[str, Tensor]],
    leaves: Mapping[str, Tensor],
    tangents: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """The tangent of every output, by forward mode; zeros of those that no leaf with a tangent moves."""
    _prepare()
    with _forward_ad.dual_level():
        primals = {name: leaf.detach() for name, leaf in leaves.items()}
        duals = {name: _forward_ad.make_dual(primals[name], tangent) for name, tangent in tangents.items()}
        unpacked = {name: _forward_ad.unpack_dual(output) for name, output in run({**primals, **duals}).items()}
    return {
        name: torch.zeros_like(dual.primal) if dual.tangent is None else dual.tangent for name, dual in unpacked.items()
    }


def pushed_forward_batch(
    run: Callable[[Mapping[str, Tensor]], dict[str, Tensor]],
    leaves: Mapping[str, Tensor],
    tangents: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """The same for many tangents at once, each with an additional first axis."""
    names: list[str] = []

    def one(*pushed: Tensor) -> tuple[Tensor, ...]:
        found = pushed_forward(run, leaves, dict(zip(tangents, pushed, strict=True)))
        names[:] = found
        return tuple(found.values())

    # torch.func.vmap knows no dual tensors: this is what torch's own checker maps with.
    many = import_module("torch._vmap_internals")._vmap(one)(*tangents.values())
    return dict(zip(names, many, strict=True))


def pulled_back_twice(
    graph: Graph, cotangents: Mapping[str, Tensor], gradients: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """What cotangents of the gradients become: a gradient for every leaf, and for every cotangent ``a_bar``.

    Raises ModuleError if the gradients have no graph, unless they are zero: those of a step need none.
    """
    bars = {f"{name}{COTANGENT}": value.detach().requires_grad_() for name, value in cotangents.items()}
    outputs, leaves = [graph.outputs[name] for name in cotangents], list(graph.leaves.values())
    with torch.enable_grad():
        found = torch.autograd.grad(outputs, leaves, list(bars.values()), create_graph=True, allow_unused=True)
    first = dict(zip(graph.leaves, found, strict=True))
    moved = {name: value for name, value in first.items() if value is not None and value.requires_grad}
    wanted = {**graph.leaves, **bars}
    if not any(torch.count_nonzero(value) for value in first.values() if value is not None):
        return {name: torch.zeros_like(value) for name, value in wanted.items()}
    if not moved:
        raise ModuleError(
            "the gradients have no graph, so that backward cannot be differentiated: compute them by operations of"
            " torch of what save_for_backward kept, or mark backward @once_differentiable"
        )
    found = torch.autograd.grad(
        list(moved.values()),
        list(wanted.values()),
        [gradients[name] for name in moved],
        retain_graph=True,
        allow_unused=True,
    )
    both = zip(wanted.items(), found, strict=True)
    return {name: torch.zeros_like(value) if second is None else second for (name, value), second in both}
