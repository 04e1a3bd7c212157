"""Modules made of a module's other derivatives, so that those are verified as any backward is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Outputs, Saved
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module

COTANGENT = "_bar"


@dataclass
class _Point:
    """What the backward of a forward mode needs: where it is, and the Jacobian once it is known."""

    saved: Saved
    outputs: Outputs
    leaves: Mapping[str, Array]
    jacobians: dict[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class ForwardMode(Module):
    """A module whose backward is the transpose of its Jacobian by ``jvp``, one tangent for each coordinate."""

    module: Module
    differentiable: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.module.name

    @property
    def stochastic(self) -> bool:
        return self.module.stochastic

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
        count = _real(point.leaves[leaf]).size
        columns = [self._column(point, leaf, np.eye(1, count, j)[0]) for j in range(count)]
        return np.array(columns).T if columns else np.zeros((0, 0))

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
