"""Many forwards or backwards at once, where a module offers them and they give what the single ones give."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.algebra.layout import real_view
from gradcheck.calculus.calls import Forward, call_backward
from gradcheck.values.aliases import Array, Leaves
from gradcheck.values.module import Module

# What a batch computes in another order than a single call does differs by a few roundings.
_ROUNDINGS = 64.0
# So many numbers a batch may take in or give: more would cost more to make than single calls cost.
_MOST_NUMBERS = 1 << 21
# Values of a larger leaf take longer to copy than a forward takes to be called.
_LARGEST_LEAF = 1 << 13
_LONGEST_REASON = 100


class Batches:
    """The forward for many values of a leaf, and the backward for many cotangents; says why where it does not use them.

    Arguments:
        module: whose; ``forward`` is its pass at the point ``leaves``.
        evaluate: its outputs at other leaves, by single calls.
        eps: machine epsilon in which it computes.
    """

    def __init__(
        self, module: Module, forward: Forward, leaves: Leaves, evaluate: Callable[[Leaves], Array], eps: float
    ) -> None:
        self._module, self._forward, self._leaves, self._evaluate, self._eps = module, forward, leaves, evaluate, eps
        # Whether a batch was right, by leaf; "" stands for the backward. And what was wrong with one.
        self._known: dict[str, bool] = {}
        self._notes: dict[str, str] = {}

    def notes_on(self, leaf: str) -> tuple[str, ...]:
        """Why a leaf's forwards, or the backwards, were not had at once, if they were to be."""
        return tuple(self._notes[key] for key in ("", leaf) if key in self._notes)

    def values_at_once(self, leaf: str) -> int:
        """How many values of a leaf may be given at once; none if it has to be one by one."""
        size, offered = self._leaves[leaf].size, self._module.has_forward_batch and not self._module.stochastic
        if not offered or not 0 < size <= _LARGEST_LEAF or not self._known.get(leaf, True):
            return 0
        return _MOST_NUMBERS // max(size, self._forward.layout.size)

    def outputs(self, leaf: str, values: Array) -> Array | None:
        """All outputs for many values of a leaf, the first that of the point; None if they are not right."""

        def compute() -> Array:
            returned = self._module.forward_batch(self._leaves, leaf, values)
            named = returned if isinstance(returned, Mapping) else {next(iter(self._forward.outputs)): returned}
            return self._raveled(named, self._forward.outputs, len(values))

        def is_right(found: Array) -> bool:
            one = self._evaluate({**self._leaves, leaf: values[-1]}).copy()
            return self._same(found[0], self._evaluate(self._leaves)) and self._same(found[-1], one)

        found: Array | None = self._tried(f"forward_batch for {leaf}", leaf, compute, is_right)
        return found

    def cotangents_at_once(self) -> int:
        """How many cotangents may be given at once; none if it has to be one by one."""
        if not self._module.has_backward_batch or not self._known.get("", True):
            return 0
        return _MOST_NUMBERS // max(self._forward.layout.size, *(value.size for value in self._leaves.values()), 1)

    def gradients(self, cotangents: Array, leaves: Leaves) -> dict[str, Array] | None:
        """The gradients of some leaves for many cotangents (cotangents, coordinates); None if they are not right."""

        def compute() -> dict[str, Array]:
            given = self._forward.cotangents(cotangents)
            returned = self._module.backward_batch(self._forward.saved, given)
            return {leaf: self._raveled(returned, {leaf: value}, len(cotangents)) for leaf, value in leaves.items()}

        def is_right(found: dict[str, Array]) -> bool:
            single = call_backward(self._module, self._forward, cotangents[-1])
            rows = {leaf: real_view(np.array(single[leaf], dtype=value.dtype)) for leaf, value in leaves.items()}
            return all(self._same(found[leaf][-1], row) for leaf, row in rows.items())

        found: dict[str, Array] | None = self._tried("backward_batch", "", compute, is_right)
        return found

    def _tried(self, what: str, key: str, compute: Callable[[], Any], is_right: Callable[[Any], bool]) -> Any:
        """What a batch gives; None if it raises, or, with a note, if it does so or is not right the first time."""
        try:
            with np.errstate(all="ignore"):
                found = compute()
            self._known[key] = self._known.get(key) or is_right(found)
            reason = "gives other numbers than single calls do"
        except Exception as error:
            if self._known.get(key):
                return None  # one value of many may be beyond the domain
            self._known[key], reason = False, f"raised {type(error).__name__}: {_first_sentence(error)}"
        if not self._known[key]:
            self._notes[key] = f"not many at once, since {what} {reason}"
            return None
        return found

    def _same(self, one: Array, other: Array) -> bool:
        size = float(np.max(np.abs(other), initial=0.0))
        return bool(np.all(np.abs(one - other) <= _ROUNDINGS * self._eps * size))

    def _raveled(self, arrays: Mapping[str, Any], like: Mapping[str, Array], count: int) -> Array:
        """The coordinates of arrays with an additional first axis (count, coordinates)."""
        parts = []
        for name, single in like.items():
            array = np.asarray(arrays[name])
            if array.shape != (count, *single.shape):
                raise ValueError(f"{name} has shape {array.shape}; expected {(count, *single.shape)}")
            flat = real_view(np.ascontiguousarray(array, np.result_type(single.dtype, array.dtype)))
            parts.append(flat.reshape(count, -1).astype(np.float64, copy=False))
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _first_sentence(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(". ")[0][:_LONGEST_REASON]
