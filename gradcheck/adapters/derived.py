"""Modules made of a module's other derivatives, so that those are verified as any backward is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves, Outputs, Saved
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module

COTANGENT = "_bar"
# So many numbers may go into, or come out of, one call; and by less than this part its results may differ.
_MOST_NUMBERS = 1 << 21
_SAME = 1e-3


@dataclass
class _Point:
    """What the backward of a forward mode needs: where it is, and the Jacobian once it is known."""

    saved: Saved
    outputs: Outputs
    leaves: Mapping[str, Array]
    jacobians: dict[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class ForwardMode(Module):
    """A module whose backward is the transpose of its Jacobian by ``jvp``, one tangent for each coordinate.

    Arguments:
        at_once: whether many tangents may be pushed forward in one call, where the module offers that.
    """

    module: Module
    differentiable: tuple[str, ...]
    at_once: bool = True

    @property
    def name(self) -> str:
        return self.module.name

    @property
    def eps(self) -> float:
        return self.module.eps

    @property
    def stochastic(self) -> bool:
        return self.module.stochastic

    @property
    def has_forward_batch(self) -> bool:
        return self.at_once and self.module.has_forward_batch

    def forward_batch(self, leaves: Leaves, leaf: str, values: Array, /) -> Outputs:
        return self.module.forward_batch(leaves, leaf, values)

    def forward(self, **leaves: Any) -> tuple[Outputs, Saved]:
        outputs, saved = self.module.forward(**leaves)
        return outputs, _Point(saved, outputs, {name: leaves[name] for name in self.differentiable})

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        point: _Point = saved
        if not point.jacobians:
            point.jacobians.update({leaf: self._jacobian(point, leaf) for leaf in self.differentiable})
        vector = _real(cotangent)
        gradients = {leaf: vector @ jacobian for leaf, jacobian in point.jacobians.items()}
        return {leaf: _like(point.leaves[leaf], gradient) for leaf, gradient in gradients.items()}

    def _jacobian(self, point: _Point, leaf: str) -> Array:
        count, outputs = _real(point.leaves[leaf]).size, _real(point.outputs).size
        columns = np.zeros((count, outputs))
        if count and not (self.at_once and self._has_columns_at_once(point, leaf, columns)):
            for j in range(count):
                columns[j] = self._column(point, leaf, np.eye(1, count, j)[0])
        return columns.T

    def _has_columns_at_once(self, point: _Point, leaf: str, columns: Array) -> bool:
        """Write all columns down, if that can be done at once and gives what single tangents do."""
        if not self.module.has_jvp_batch:
            return False
        count, chunk = len(columns), max(1, _MOST_NUMBERS // max(columns.shape))
        try:
            for start in range(0, count, chunk):
                hot = np.eye(min(chunk, count - start), count, start)
                tangents = {
                    name: np.zeros((len(hot), *value.shape), value.dtype) for name, value in point.leaves.items()
                }
                tangents[leaf] = np.stack([_like(point.leaves[leaf], row) for row in hot])
                returned = self.module.jvp_batch(point.saved, tangents)
                named = returned if isinstance(returned, Mapping) else {"": returned}
                columns[start : start + len(hot)] = np.concatenate(
                    [_real(array).reshape(len(hot), -1) for array in named.values()], axis=1
                )
        except Exception:
            return False  # no rule for this, say
        single = self._column(point, leaf, np.eye(1, count, count - 1)[0])
        return bool(np.allclose(columns[-1], single, rtol=_SAME, atol=_SAME * np.max(np.abs(single), initial=0.0)))

    def _column(self, point: _Point, leaf: str, coordinates: Array) -> Array:
        tangents = {name: np.zeros_like(value) for name, value in point.leaves.items()}
        tangents[leaf] = _like(point.leaves[leaf], coordinates)
        return _real(pushed_forward(point.outputs, self.module.jvp(point.saved, tangents)))


def pushed_forward(outputs: Outputs, returned: Any) -> dict[str, Array]:
    """What a jvp returned, by output; raise ModuleError if that is not an array of every output's shape."""
    named = outputs if isinstance(outputs, Mapping) else {"": outputs}
    given = returned if isinstance(outputs, Mapping) and isinstance(returned, Mapping) else {"": returned}
    for name, output in named.items():
        shape = np.shape(output)
        if name not in given or np.shape(given[name]) != shape or np.asarray(given[name]).dtype.kind not in "fc":
            what = f"shape {np.shape(given[name])}" if name in given else "nothing"
            raise ModuleError(f"jvp returned {what} for output {name or 'a'!r}; expected an array of shape {shape}")
    return {name: np.asarray(given[name]) for name in named}


@dataclass(frozen=True)
class BackwardOf(Module):
    """The backward of a module as a module: from leaves and cotangents to gradients, with ``double_backward`` behind.

    A cotangent of the output ``a`` is a leaf named ``a_bar``, which every module has to be given.
    """

    module: Module
    named: bool
    cotangents: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"backward of {self.module.name}"

    @property
    def stochastic(self) -> bool:
        return self.module.stochastic

    def forward(self, **leaves: Any) -> tuple[Outputs, Saved]:
        given = {name: leaves.pop(name) for name in self.cotangents}
        saved = self.module.forward(**leaves)[1]
        cotangent = self._structured(given)
        return dict(self.module.backward(saved, cotangent)), (saved, cotangent)

    def backward(self, saved: Saved, cotangent: Any, /) -> Mapping[str, Array]:
        inner, outer = saved
        return self.module.double_backward(inner, outer, cotangent)

    def _structured(self, given: Mapping[str, Array]) -> Any:
        by_output = {name.removesuffix(COTANGENT): value for name, value in given.items()}
        return by_output if self.named else next(iter(by_output.values()))


def _real(outputs: Any) -> Array:
    """All outputs, or one array, as one real vector."""
    arrays = outputs.values() if isinstance(outputs, Mapping) else (outputs,)
    flat = [np.ravel(np.asarray(array)) for array in arrays]
    parts = [np.stack([f.real, f.imag], axis=-1).ravel() if np.iscomplexobj(f) else f for f in flat]
    return np.concatenate(parts).astype(np.float64)


def _like(leaf: Array, coordinates: Array) -> Array:
    """Real coordinates in the shape and dtype of a leaf."""
    values = coordinates[0::2] + 1j * coordinates[1::2] if np.iscomplexobj(leaf) else coordinates
    return np.asarray(values.reshape(np.shape(leaf)), dtype=np.asarray(leaf).dtype)
