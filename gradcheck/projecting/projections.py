"""The gradient of a leaf that is too large to be perturbed entry by entry, measured in random projections."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gradcheck.algebra.layout import coordinates, ravel
from gradcheck.algebra.precision import Noise, eps_of, shown_eps
from gradcheck.algebra.sampling import generator_for
from gradcheck.calculus.analytical import gradient_of
from gradcheck.calculus.approach import Derivative, derivative_along, norm
from gradcheck.calculus.calls import call_backward
from gradcheck.calculus.directions import WEAKEST, Mover, cotangents, direction, median_of, steps_for
from gradcheck.calculus.nearby import outputs_near
from gradcheck.checking.evaluation import Evaluation
from gradcheck.values.aliases import Array

# P(|Σ ±xᵢ| > z ‖x‖) ≤ 2 exp(-z²/2) for random signs (Hoeffding, 1963): 3e-8 for z = 6.
DEVIATIONS = 6.0
# Several sizes, so that a backward that clips or squares its cotangent shows.
_SCALES = (1.0, 4.0, 0.25)
_ROUNDINGS_OF_BACKWARD = 32
_PAIRS = 14
_PAIRS_OF_THE_SECOND, _PAIRS_AT_LEAST = 6, 4
_SHOWN = 4096
# Steps are taken until the error is this part of what is required.
_ENOUGH = 0.1


@dataclass(frozen=True)
class Projection:
    """⟨backward(c), v⟩ against ⟨c, J v⟩ for one cotangent and one direction.

    Arguments:
        cotangent, direction: which of them.
        analytical, numerical: both numbers.
        error: what they may differ by if backward is right.
        absolute: Σ |gⱼvⱼ|, which the sum would be without cancellation.
        typical, median: root mean square and median of the |gⱼvⱼ| that are not 0.
        largest: of the |gⱼ|.
        weakest: the smallest |vⱼ| that is not 0.
    """

    cotangent: int
    direction: int
    analytical: float
    numerical: float
    error: float
    absolute: float
    typical: float
    median: float
    largest: float
    weakest: float

    @property
    def gap(self) -> float:
        """By how much they differ; infinite if backward gave no numbers, NaN if the forward did not."""
        return abs(self.analytical - self.numerical) if np.isfinite(self.analytical) else np.inf

    @property
    def disagrees(self) -> bool:
        """Whether they differ by more than the error."""
        return bool(self.gap > self.error) or not np.isfinite(self.analytical)

    @property
    def blur(self) -> float:
        """The smallest error of one entry that is seen for certain, relative to a typical entry.

        An error δ of entry j moves the projection by δvⱼ, of which up to the error of the projection may be hidden, and
        which is seen where the rest exceeds it: from |δvⱼ| = 2 · error on, with the weakest vⱼ there may be.
        """
        return self._relative(2 * self.error)

    @property
    def masked(self) -> float:
        """The same, beside a gap that no single entry explains."""
        return self._relative(2 * self.error + self.gap)

    def _relative(self, hidden: float) -> float:
        return hidden / (WEAKEST * self.typical) if self.typical else np.inf if hidden else 0.0

    @property
    def visible(self) -> float:
        """The smallest error of one entry of the gradient that is seen for certain, as a number."""
        return 2 * self.error / self.weakest if self.weakest else np.inf


@dataclass(frozen=True, eq=False)
class Projector:
    """One leaf of a module at a case, and the directions and cotangents that it is projected on.

    It needs five arrays of the size of the leaf at a time, and about fifteen of the size of the outputs.
    """

    evaluation: Evaluation
    leaf: str

    @cached_property
    def values(self) -> Array:
        """The value of the leaf."""
        return self.evaluation.case.leaves[self.leaf]

    @cached_property
    def mover(self) -> Mover:
        """Calls forward."""
        evaluation, seed = self.evaluation, self.evaluation.settings.seed
        evaluate = outputs_near(evaluation.laid_out, evaluation.forward, seed)
        return Mover(evaluate, evaluation.case.leaves, self.leaf)

    @cached_property
    def centre(self) -> Array:
        """The outputs at the point (outputs,)."""
        return ravel(self.evaluation.forward.outputs)

    @cached_property
    def noise(self) -> Noise:
        """What the outputs are inexact by: rounding in the format that they show, and what a repetition differs by."""
        outputs = self.evaluation.forward.outputs
        eps = [np.full(coordinates(a).size, max(eps_of(a), shown_eps(a.ravel()[:_SHOWN]))) for a in outputs.values()]
        return Noise(np.concatenate(eps), np.abs(self.mover.outputs() - self.centre))

    @cached_property
    def eps(self) -> float:
        """The coarser of the machine epsilons of leaf and outputs."""
        return max(self.evaluation.eps(self.leaf), float(np.max(self.noise.eps, initial=0.0)))

    @cached_property
    def directions(self) -> tuple[Array, ...]:
        """Two directions (coordinates,)."""
        values, room = coordinates(self.values), self.evaluation.room(self.leaf)
        streams = (generator_for(self.evaluation.settings.seed, "projection", self.leaf, str(d)) for d in range(2))
        return tuple(direction(values, room, stream) for stream in streams)

    @cached_property
    def cotangents(self) -> Array:
        """Three cotangents (3, outputs)."""
        stream = generator_for(self.evaluation.settings.seed, "projection", "cotangents")
        return cotangents(self.centre.size, _SCALES, stream)

    def gradient(self, cotangent: Array) -> Array:
        """What backward makes of a cotangent (coordinates,)."""
        gradients = call_backward(self.evaluation.module, self.evaluation.forward, cotangent)
        return gradient_of(self.evaluation.module, gradients, self.leaf, self.values)

    @cached_property
    def analytical(self) -> tuple[Projection, ...]:
        """All projections of what backward gives, without what it is compared with."""
        found = []
        for k, cotangent in enumerate(self.cotangents):
            gradient = self.gradient(cotangent)
            found += [_of_gradient(gradient, v, k, d, self.eps) for d, v in enumerate(self.directions)]
        return tuple(found)

    @cached_property
    def derivatives(self) -> tuple[Derivative, ...]:
        """J v along both directions.

        Along the second one at the steps that were the best along the first; or at finer ones, if the first showed
        too little and did best at its last step, as beside many kinks.
        """
        steps = steps_for(self.eps)
        first = self.along(self.directions[0], steps[: _PAIRS - _PAIRS_AT_LEAST])
        count = min(_PAIRS - len(first.steps), _PAIRS_OF_THE_SECOND)
        end = max(first.best + 1, _PAIRS_AT_LEAST)
        if first.best + 1 == len(first.steps) and not norm(first.error) <= self._enough:
            end = min(first.best + count, len(steps))
        return first, self.along(self.directions[1], steps[max(0, end - count) : end])

    @cached_property
    def _enough(self) -> float:
        """Norm of the errors of J v at which they are a part of what is required of a typical entry."""
        typical = min(p.typical / _SCALES[p.cotangent] for p in self.analytical)
        return _ENOUGH * self.evaluation.settings.threshold * WEAKEST * typical / (2 * DEVIATIONS)

    def along(self, v: Array, steps: Array) -> Derivative:
        """J v from pairs at the given steps, until it is exact enough."""
        everything = slice(0, v.size)
        return derivative_along(
            lambda t: self.mover.pair(v, everything, t), steps, self.centre, self.noise, self._is_enough
        )

    def _is_enough(self, error: float) -> bool:
        return error <= self._enough

    @cached_property
    def projections(self) -> tuple[Projection, ...]:
        """Both sides of every projection, with the error of their difference.

        The signs of a cotangent c are independent of what the derivatives J v are off by, e: |⟨c, e⟩| ≤ z ‖c e‖.
        """
        return tuple(self._compared(projection) for projection in self.analytical)

    def _compared(self, given: Projection) -> Projection:
        derivative, c = self.derivatives[given.direction], self.cotangents[given.cotangent]
        with np.errstate(all="ignore"):
            numerical = float(np.sum(c * derivative.value))
            error = given.error + DEVIATIONS * norm(c * derivative.error)
            # Of a gradient that is 0 throughout the outputs tell what a typical entry would be.
            typical = given.typical or norm(c * self.centre) / self.directions[0].size ** 0.5
        return replace(given, numerical=numerical, error=error, typical=typical)


def _of_gradient(gradient: Array, v: Array, k: int, d: int, eps: float) -> Projection:
    """The analytical side of a projection; its error is the rounding of backward, of random sign beside that of v."""
    with np.errstate(all="ignore"):
        terms = gradient * v
        total = float(np.sum(terms))
        np.abs(terms, out=terms)
        absolute, size = float(np.sum(terms)), norm(terms)
    typical, median = size / max(int(np.count_nonzero(terms)), 1) ** 0.5, median_of(terms)
    weakest = float(np.min(np.abs(v), where=v != 0, initial=np.inf))
    weakest = weakest if np.isfinite(weakest) else 0.0
    rounding = _ROUNDINGS_OF_BACKWARD * eps * size if np.isfinite(size) else 0.0
    largest = float(np.max(np.abs(gradient), initial=0.0))
    return Projection(k, d, total, np.nan, rounding, absolute, typical, median, largest, weakest)
