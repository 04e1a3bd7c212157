"""One module at one case: everything that several checks need, each computed once and on demand."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.adapters.wrapped import LaidOut
from gradcheck.algebra.layout import coordinates_in, ravel, real_view
from gradcheck.algebra.precision import Noise, eps_of, shown_eps
from gradcheck.algebra.sampling import generator_for
from gradcheck.calculus.analytical import gradient_of
from gradcheck.calculus.batches import Batches
from gradcheck.calculus.calls import (
    Forward,
    call_backward,
    call_forward,
    require_finite,
)
from gradcheck.calculus.jacobian import Jacobian
from gradcheck.calculus.nearby import imaginary_outputs_near, outputs_near
from gradcheck.calculus.samples import Neighbourhood
from gradcheck.checking.claims import Claims
from gradcheck.checking.point import is_differentiable
from gradcheck.values.aliases import Array, Leaves
from gradcheck.values.case import Case
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module
from gradcheck.values.settings import Settings

_NEARBY = 1e-3


@dataclass(frozen=True, eq=False)
class Block:
    """Some coordinates of one leaf, in order."""

    leaf: str
    columns: Array


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A module, a case and the settings; every property raises ModuleError if the module misbehaves.

    Arguments:
        block: what is looked at, if that is a part of a leaf.
    """

    module: Module
    case: Case
    settings: Settings
    block: Block | None = None

    @cached_property
    def differentiable(self) -> tuple[str, ...]:
        """Names of the leaves that have a gradient."""
        return tuple(name for name in self.case.leaves if is_differentiable(self.module, name, self.case.leaves[name]))

    @cached_property
    def laid_out(self) -> Module:
        """The module with leaves that lie in memory as those of the case do."""
        return LaidOut(self.module, self.case.strides) if self.case.strides else self.module

    @cached_property
    def forward(self) -> Forward:
        """The forward pass at the point, checked for finite outputs and untouched leaves."""
        given = {name: value.copy() for name, value in self.case.leaves.items()}
        forward = call_forward(self.laid_out, given, self.settings.seed)
        for name, value in given.items():
            if not np.array_equal(value, self.case.leaves[name]):
                raise ModuleError(
                    f"{self.module.name}: forward writes to its leaf {name!r}; expected it to leave its"
                    f" arguments as they are: work on a copy"
                )
        require_finite(self.module, forward)
        return forward

    @cached_property
    def cotangent(self) -> Array:
        """A generic cotangent over all outputs: of either sign, beyond ±1, exact in every dtype."""
        drawn = generator_for(self.settings.seed, "cotangent").normal(size=self.forward.layout.size)
        drawn[:1] = -np.abs(drawn[:1]) - 1  # the only entry of a loss
        return np.asarray(np.round(16 * drawn) / 8)

    @cached_property
    def gradients(self) -> dict[str, object]:
        """What backward returns for one generic cotangent, as it comes."""
        return dict(call_backward(self.module, self.forward, self.cotangent))

    def gradient(self, leaf: str) -> Array:
        """The coordinates of the gradient that backward returns for the generic cotangent."""
        gradient = gradient_of(self.module, self.gradients, leaf, self.case.leaves[leaf])
        return gradient if self.block is None else gradient[self.columns(leaf)]

    @cached_property
    def claims(self) -> Claims:
        """What backward says at the point of every differentiable leaf."""
        point = {leaf: self.case.leaves[leaf] for leaf in self.differentiable}
        return Claims(self.module, self.forward, point, self.settings, self.batches)

    @cached_property
    def jacobians(self) -> dict[str, Jacobian]:
        """The analytical Jacobians by their entries; only that of the block, if there is one."""
        found = self.claims.jacobians
        return found if self.block is None else {self.block.leaf: found[self.block.leaf].restricted(self.block.columns)}

    @property
    def with_jacobians(self) -> tuple[str, ...]:
        """The differentiable leaves whose Jacobians are looked at; of the others only projections are."""
        return self.claims.leaves

    def eps(self, leaf: str) -> float:
        """Machine epsilon of a leaf, or of what is computed with it if that is larger."""
        return max(eps_of(self.case.leaves[leaf]), self.module.eps)

    def size(self, leaf: str) -> int:
        """How many coordinates a leaf has."""
        return coordinates_in(self.case.leaves[leaf])

    @cached_property
    def remembered(self) -> dict[tuple[str, str], Any]:
        """What was found out about leaves, by what and about which: see ``once``."""
        return {}

    @cached_property
    def by_one_hots(self) -> "Evaluation":
        """The same with one backward for every output, and one forward at a time: by that a disagreement is judged."""
        if self.claims.are_single and self.batches is None:
            return self
        if self.block is not None:
            return self.whole.by_one_hots.part(self.block.leaf, self.block.columns)
        single = self._sharing(replace(self), claims=self.claims.by_one_hots, batches=None)
        single.__dict__.update(neighbourhood=replace(self.neighbourhood, batches=None))
        return single

    @cached_property
    def whole(self) -> "Evaluation":
        """The evaluation of all coordinates."""
        return self if self.block is None else self._sharing(replace(self, block=None), claims=self.claims)

    @cached_property
    def looked_at(self) -> "Evaluation":
        """The evaluation whose first look counts for this one."""
        return self

    def part(self, leaf: str, columns: Array) -> "Evaluation":
        """The evaluation of some coordinates of a leaf, in order, as if it had no others."""
        return self._sharing(replace(self, block=Block(leaf, columns)), claims=self.claims, whole=self.whole)

    def restricted(self, leaf: str, columns: Array) -> "Evaluation":
        """The same for coordinates at which a first look has been taken here."""
        return self._sharing(self.part(leaf, columns), looked_at=self)

    def _sharing(self, other: "Evaluation", **known: Any) -> "Evaluation":
        """Another evaluation of the same case, with what has been computed of it here, and what else is known."""
        same = ("differentiable", "laid_out", "forward", "cotangent", "gradients", "batches", "neighbourhood")
        other.__dict__.update({name: self.__dict__[name] for name in same if name in self.__dict__}, **known)
        return other

    def columns(self, leaf: str) -> Array:
        """Which coordinates of a leaf its Jacobian has."""
        if self.block is not None and self.block.leaf == leaf:
            return self.block.columns
        return np.arange(self.size(leaf))

    def jacobian(self, leaf: str) -> Array:
        """The analytical Jacobian of a leaf as an array (outputs, coordinates)."""
        if leaf not in self._dense:
            self._dense[leaf] = self.jacobians[leaf].dense()
        return self._dense[leaf]

    @cached_property
    def _dense(self) -> dict[str, Array]:
        return {}

    def derived(self, module: Module, case: Case) -> "Evaluation":
        """Another module at another case, under the same settings."""
        return Evaluation(module, case, self.settings)

    @cached_property
    def neighbourhood(self) -> Neighbourhood:
        """The forward around the point as numbers, with its noise."""
        forward = self.forward  # which finds out whether a forward writes to the leaves that it is given
        repeated = call_forward(self.laid_out, self.case.leaves, self.settings.seed)
        return Neighbourhood(
            evaluate=self._evaluate,
            point=self.case.leaves,
            value=ravel(forward.outputs),
            noise=Noise.of(forward.outputs, ravel(repeated.outputs), self._outputs_nearby),
            eps=self.module.eps,
            batches=self.batches,
            imaginary=self._imaginary if self.settings.complex_step else None,
        )

    @cached_property
    def _evaluate(self) -> Callable[[Leaves], Array]:
        return outputs_near(self.laid_out, self.forward, self.settings.seed)

    @cached_property
    def batches(self) -> Batches | None:
        """Many forwards or backwards at once, where the module offers them."""
        module, leaves = self.laid_out, self.case.leaves
        if not (module.has_forward_batch or module.has_backward_batch):
            return None
        eps = max(self.module.eps, *map(eps_of, (*leaves.values(), *self.forward.outputs.values())))
        return Batches(module, self.forward, leaves, self._evaluate, eps)

    @property
    def _outputs_nearby(self) -> dict[str, Array]:
        """The outputs at a point that is no round one; none where forward has none there, or nothing is gained."""
        if not any(shown_eps(output) for output in self.forward.outputs.values()):
            return {}
        try:
            return call_forward(self.module, self.moved(_NEARBY, "nearby").case.leaves, self.settings.seed).outputs
        except ModuleError:
            return {}

    @cached_property
    def _imaginary(self) -> Callable[[Leaves], Array]:
        return imaginary_outputs_near(self.module, self.forward, self.settings.seed)

    def room(self, leaf: str) -> Array:
        """How far every coordinate of a leaf may move before it leaves its declared domain (coordinates,)."""
        value, declared = self.case.leaves[leaf], self.module.leaves.get(leaf)
        if declared is None or np.iscomplexobj(value):
            return np.full(self.size(leaf), np.inf)
        return np.asarray(declared.domain.room(value)).ravel()

    def moved(self, amount: float, direction: str) -> "Evaluation":
        """The module at a point whose every entry is off by up to this part of itself, in a direction of that name."""
        generator = generator_for(self.settings.seed, "direction", direction)
        leaves = {name: np.array(value) for name, value in self.case.leaves.items()}
        for name in self.differentiable:
            entries = real_view(leaves[name])
            entries *= 1 + amount * generator.uniform(-1, 1, entries.shape).astype(entries.dtype)
        return replace(self, case=replace(self.case, leaves=leaves))
