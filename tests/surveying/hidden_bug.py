"""A bug that drawn points do not show: modules wrong only at particular shapes or values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck import real
from gradcheck.adapters.functions import FunctionModule
from gradcheck.values.aliases import Array, Leaves
from gradcheck.values.declarations import Declaration
from gradcheck.values.module import Module

Gradients = dict[str, Any]

BATCH = {"x": real("N D")}


@dataclass(frozen=True)
class HiddenBug:
    """A wrong module that passes the default verification.

    Arguments:
        title: what is wrong, and where.
        module: the wrong module.
        twin: the correct one, with the same forward and the same declarations.
        smallest: for every dimension symbol the smallest size at which the bug exists.
        leaf: the leaf whose gradient is wrong.
        fails_at: arrays of exactly these sizes at which the module fails and the twin passes.
    """

    title: str
    module: Module
    twin: Module
    smallest: Mapping[str, int]
    leaf: str
    fails_at: Mapping[str, Any]


@dataclass(frozen=True)
class _WithKinks(FunctionModule):
    kinks: Mapping[str, Sequence[float]] = field(default_factory=dict)


def hidden(
    title: str,
    inputs: Mapping[str, Declaration],
    forward: Callable[..., Array],
    right: Callable[[Leaves, Array], Gradients],
    wrong: Callable[[Leaves, Array], Any],
    smallest: Mapping[str, int],
    fails_at: Mapping[str, Any],
    *,
    leaf: str = "x",
    parameters: Mapping[str, Declaration] | None = None,
    kinks: Mapping[str, Sequence[float]] | None = None,
) -> HiddenBug:
    """A bug in the gradient of one leaf: ``right`` gives all gradients of a point, ``wrong`` the one that replaces
    that of ``leaf``.
    """
    twin = _WithKinks(forward, right, f"{title} (mended)", inputs, parameters or {}, kinks=kinks or {})
    module = replace(twin, name=title, backward_function=lambda p, a: {**right(p, a), leaf: wrong(p, a)})
    return HiddenBug(title, module, twin, smallest, leaf, fails_at)


def elementwise(
    title: str,
    function: Callable[[Array], Array],
    slope: Callable[[Array], Array],
    wrong: Callable[[Array], Array],
    fails_at: float,
    *,
    domain: Declaration | None = None,
    kinks: Sequence[float] = (),
) -> HiddenBug:
    """A bug in the derivative of a function of every entry, which one entry is enough to show."""
    return hidden(
        title,
        {"x": domain or real("N")},
        lambda x: function(x),
        lambda p, a: {"x": slope(p["x"]) * a},
        lambda p, a: wrong(p["x"]) * a,
        {"N": 1},
        {"x": np.array([fails_at])},
        kinks={"x": kinks},
    )
