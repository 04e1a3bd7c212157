"""One module at one case: everything that several checks need, each computed once and on demand."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gradcheck.adapters.wrapped import LaidOut
from gradcheck.algebra.layout import coordinates, ravel, real_view
from gradcheck.algebra.precision import Noise, eps_of, shown_eps
from gradcheck.algebra.sampling import draw_case, generator_for
from gradcheck.calculus.analytical import analytical_jacobians, gradient_of
from gradcheck.calculus.calls import Forward, call_backward, call_forward, imaginary_outputs_near, outputs_near
from gradcheck.calculus.decoding import decoded_jacobians
from gradcheck.calculus.jacobian import Jacobian
from gradcheck.calculus.samples import Neighbourhood
from gradcheck.checking.point import is_differentiable
from gradcheck.values.aliases import Array, Leaves
from gradcheck.values.case import Case, CaseSpec
from gradcheck.values.dimensions import bind
from gradcheck.values.errors import GradcheckError, ModuleError
from gradcheck.values.module import Module
from gradcheck.values.results import entry_path
from gradcheck.values.settings import Settings

_GENERIC_POINTS = 4
_NEARBY = 1e-3
_FEW_EVALUATIONS = 2000
_MANY_COORDINATES = 10**6


def is_small(coordinates: int, outputs: int) -> bool:
    """Whether a leaf takes so few evaluations that grouping its coordinates would save nothing to speak of."""
    return 2 * coordinates + outputs <= _FEW_EVALUATIONS


def is_large(coordinates: int) -> bool:
    """Whether a leaf is projected unless something else is asked for."""
    return coordinates > _MANY_COORDINATES


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
        one_hot: whether every output has to be pulled back by itself.
    """

    module: Module
    case: Case
    settings: Settings
    block: Block | None = None
    one_hot: bool = False

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
        _require_finite(self.module, forward)
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
    def jacobians(self) -> dict[str, Jacobian]:
        """The analytical Jacobian of every differentiable leaf by its entries; only that of the block."""
        leaves = self.with_jacobians if self.block is None else (self.block.leaf,)
        found = self._decoded[0] if self._decoded else None
        if found is None:
            found = analytical_jacobians(self.module, self.forward, self.case.leaves, leaves)
        return found if self.block is None else {leaf: found[leaf].restricted(self.block.columns) for leaf in leaves}

    @property
    def with_jacobians(self) -> tuple[str, ...]:
        """The differentiable leaves whose Jacobians are looked at; of the others only projections are."""
        mode = self.settings.mode
        counts = {leaf: coordinates(self.case.leaves[leaf]).size for leaf in self.differentiable}
        projected = {leaf: mode == "projected" or (mode == "auto" and is_large(counts[leaf])) for leaf in counts}
        return tuple(leaf for leaf in self.differentiable if not projected[leaf])

    @cached_property
    def _decoded(self) -> tuple[dict[str, Jacobian], int] | None:
        """The Jacobians from backwards of several outputs at once, and their number, where coordinates are grouped."""
        if self.one_hot or not self._groups_are_wanted:
            return None
        point = {leaf: self.case.leaves[leaf] for leaf in self.with_jacobians}
        layout, generator = self.forward.layout, generator_for(self.settings.seed, "decoding")

        def pull_back(cotangent: Array, leaves: Iterable[str]) -> dict[str, Array]:
            gradients = call_backward(self.module, self.forward, cotangent)
            return {leaf: gradient_of(self.module, gradients, leaf, point[leaf]) for leaf in leaves}

        arrays = [*zip(layout.starts[:-1], layout.real_shapes, strict=True)]
        sizes = {leaf: coordinates(value).size for leaf, value in point.items()}
        eps = max([eps_of(value) for value in point.values()], default=0.0)
        return decoded_jacobians(pull_back, sizes, arrays, eps, generator)

    @property
    def _groups_are_wanted(self) -> bool:
        if self.settings.mode != "auto":
            return self.settings.mode == "grouped"
        counts = [coordinates(self.case.leaves[leaf]).size for leaf in self.with_jacobians]
        return any(not is_small(count, self.forward.layout.size) for count in counts)

    @cached_property
    def groups(self) -> dict[str, list[Array]]:
        """The groups in which coordinates are perturbed, leaf by leaf as they are needed."""
        return {}

    @cached_property
    def measured(self) -> dict[str, float]:
        """What was measured of the module's speed."""
        return {}

    @property
    def backwards(self) -> int:
        """How many backwards the Jacobians took."""
        return self._decoded[1] if self._decoded else self.forward.layout.size

    @cached_property
    def by_one_hots(self) -> "Evaluation":
        """The same with one backward for every output: by that a disagreement is judged."""
        return self if self._decoded is None else self._sharing(replace(self, one_hot=True))

    @cached_property
    def whole(self) -> "Evaluation":
        """The evaluation of all coordinates."""
        return self if self.block is None else replace(self, block=None)

    @cached_property
    def looked_at(self) -> "Evaluation":
        """The evaluation whose first look counts for this one."""
        return self

    def part(self, leaf: str, columns: Array) -> "Evaluation":
        """The evaluation of some coordinates of a leaf, in order, as if it had no others."""
        block = self._sharing(replace(self, block=Block(leaf, columns)))
        block.__dict__["whole"] = self.whole
        block.__dict__["jacobians"] = {leaf: self.whole.jacobians[leaf].restricted(columns)}
        return block

    def restricted(self, leaf: str, columns: Array) -> "Evaluation":
        """The same for coordinates at which a first look has been taken here."""
        block = self.part(leaf, columns)
        block.__dict__["looked_at"] = self
        return block

    def _sharing(self, other: "Evaluation") -> "Evaluation":
        """Another evaluation of the same case, with what has been computed of it here."""
        same = ("differentiable", "laid_out", "forward", "cotangent", "gradients", "neighbourhood", "elsewhere")
        other.__dict__.update({name: self.__dict__[name] for name in same if name in self.__dict__})
        return other

    def columns(self, leaf: str) -> Array:
        """Which coordinates of a leaf its Jacobian has."""
        if self.block is not None and self.block.leaf == leaf:
            return self.block.columns
        return np.arange(coordinates(self.case.leaves[leaf]).size)

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
    def elsewhere(self) -> tuple["Evaluation", ...]:
        """The module at a few generic points of the same sizes; none if it does not declare what may be drawn."""
        if set(self.module.leaves) != set(self.case.leaves):
            return ()
        declared = {name: declaration.dimensions for name, declaration in self.module.leaves.items()}
        sizes = bind(declared, {name: value.shape for name, value in self.case.leaves.items()})[0]
        if any(symbol.lstrip("*") not in sizes for symbol in self.module.symbols):
            return ()  # the number of classes, which given labels do not tell
        specs = [CaseSpec(f"generic point {number}, {self.case.name}", sizes) for number in range(_GENERIC_POINTS)]
        try:
            drawn = [draw_case(self.module, spec, self.settings.seed) for spec in specs]
        except GradcheckError:
            return ()
        return tuple(
            replace(self, case=Case(case.name, self._in_own_dtypes(case.leaves), drawn=True)) for case in drawn
        )

    def _in_own_dtypes(self, leaves: Leaves) -> dict[str, Array]:
        return {name: value.astype(self.case.leaves[name].dtype) for name, value in leaves.items()}

    @cached_property
    def neighbourhood(self) -> Neighbourhood:
        """The forward around the point as numbers, with its noise."""
        forward = self.forward  # which finds out whether a forward writes to the leaves that it is given
        repeated = call_forward(self.laid_out, self.case.leaves, self.settings.seed)
        return Neighbourhood(
            evaluate=outputs_near(self.laid_out, forward, self.settings.seed),
            point=self.case.leaves,
            value=ravel(forward.outputs),
            noise=Noise.of(forward.outputs, ravel(repeated.outputs), self._outputs_nearby),
            imaginary=self._imaginary if self.settings.complex_step else None,
        )

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
            return np.full(coordinates(value).size, np.inf)
        return np.asarray(declared.domain.room(value)).ravel()

    def moved(self, amount: float, direction: str) -> "Evaluation":
        """The module at a point whose every entry is off by up to this part of itself, in a direction of that name."""
        generator = generator_for(self.settings.seed, "direction", direction)
        leaves = {name: np.array(value) for name, value in self.case.leaves.items()}
        for name in self.differentiable:
            entries = real_view(leaves[name])
            entries *= 1 + amount * generator.uniform(-1, 1, entries.shape).astype(entries.dtype)
        return replace(self, case=replace(self.case, leaves=leaves))


def _require_finite(module: Module, forward: Forward) -> None:
    values = ravel(forward.outputs)
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        name, index = forward.layout.locate(int(wrong[0]))
        raise ModuleError(
            f"{module.name}: forward returned {values[wrong[0]]} in {entry_path(name, index)} at the point itself"
            f" ({wrong.size} of {values.size} outputs are not finite); expected finite outputs: give a point"
            f" inside the domain, or mend the forward"
        )
