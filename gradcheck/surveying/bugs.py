"""The standard bugs: what people write in place of a right gradient, applied to any gradient."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves

_SLIGHT = 1.01


@dataclass(frozen=True)
class LeafBug:
    """A bug in the gradient of one leaf.

    Arguments:
        change: (the right gradient, the leaves) → what is returned in its place; None if nothing is.
        applies: whether it changes anything for a gradient of this shape.
    """

    title: str
    change: Callable[[Array, Leaves], Array | None]
    applies: Callable[[Array], bool] = lambda gradient: gradient.size > 0


@dataclass(frozen=True)
class CotangentBug:
    """A bug in what backward makes of its cotangent, one array or a dict of several."""

    title: str
    change: Callable[[Array], Array]

    def applied(self, cotangent: Any) -> Any:
        """The cotangent as the bug leaves it."""
        if isinstance(cotangent, Mapping):
            return {output: self.change(part) for output, part in cotangent.items()}
        return self.change(cotangent)


def _has_rows(gradient: Array) -> bool:
    return gradient.ndim > 0 and gradient.shape[0] > 1


def _samples(leaves: Leaves) -> int:
    """The size of the first axis of the first leaf, which counts the samples."""
    return max(next((value.shape[0] for value in leaves.values() if value.ndim), 1), 1)


def _summed(axis: int) -> LeafBug:
    """The sum over an axis in every place along it, as broadcasting leaves it."""
    return LeafBug(
        f"summed over {'its first' if axis == 0 else 'its last'} axis",
        lambda g, _: np.broadcast_to(g.sum(axis=axis, keepdims=True), g.shape).copy(),
        lambda g: g.ndim > (0 if axis == 0 else 1) and g.shape[axis] > 1,
    )


def _with_last(change: Callable[[Array], Array]) -> Callable[[Array, Leaves], Array]:
    """The gradient with its last row, or its last entry, changed."""

    def changed(gradient: Array, _: Leaves) -> Array:
        copy = np.array(gradient)
        copy[-1] = change(copy[-1])
        return copy

    return changed


def _one_entry(gradient: Array, _: Leaves) -> Array:
    copy = np.array(gradient)
    # The largest one: an entry that is 0 anyway would stay as it is.
    copy.reshape(-1)[np.argmax(np.abs(copy))] *= _SLIGHT
    return copy


LEAF_BUGS = (
    LeafBug("sign", lambda g, _: -g),
    LeafBug("factor 2", lambda g, _: 2 * g),
    LeafBug("factor 1/2", lambda g, _: g / 2),
    LeafBug("off by 1 %", lambda g, _: _SLIGHT * g),
    LeafBug("divided by the number of samples", lambda g, leaves: g / _samples(leaves)),
    LeafBug("left out", lambda g, _: None, lambda g: True),
    LeafBug("detached", lambda g, _: 0 * g),
    LeafBug("one entry off by 1 %", _one_entry),
    LeafBug("last row detached", _with_last(lambda row: 0 * row), _has_rows),
    LeafBug("rows in reverse", lambda g, _: g[::-1].copy(), _has_rows),
    LeafBug("transposed", lambda g, _: g.T.copy(), lambda g: g.ndim == 2),
    _summed(0),
    _summed(-1),
)
COTANGENT_BUGS = (
    CotangentBug("cotangent clipped to ±1", lambda a: np.clip(a.real, -1, 1).astype(a.dtype)),
    CotangentBug("cotangent replaced by its sign", lambda a: np.sign(a.real).astype(a.dtype)),
    CotangentBug("cotangent ignored", np.ones_like),
)
STALE = "saved values of the forward before"
