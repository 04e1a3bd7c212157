"""Two modules at one point against each other: outputs, Jacobians, and gradients for a generic cotangent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradcheck.algebra.layout import Layout, ravel
from gradcheck.algebra.precision import eps_of, shown_eps
from gradcheck.calculus.analytical import gradient_of
from gradcheck.calculus.calls import call_backward
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.gradient import check_gradient
from gradcheck.checking.scales import scale_of_the_point
from gradcheck.values.aliases import Array
from gradcheck.values.entry import entry_path
from gradcheck.values.errors import ModuleError, did_you_mean
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict

# What the two are called in messages, as they are arguments of check_equivalent.
A, B = "a", "b"
USE_NAMES = f"where the two call something differently, give names={{'what {A} calls it': 'what {B} calls it'}}"
# Two right implementations differ by rounding, so many units in the last place of the largest entry.
_ROUNDINGS = 64


@dataclass(frozen=True)
class Pair:
    """Two modules at one point; ``names`` are what the second calls leaves and outputs of the first."""

    first: Evaluation
    second: Evaluation
    names: Mapping[str, str]

    @property
    def leaves(self) -> tuple[str, ...]:
        """What either has a gradient for, by the names of the first."""
        back = {theirs: ours for ours, theirs in self.names.items()}
        others = (back.get(leaf, leaf) for leaf in self.second.differentiable)
        return tuple(dict.fromkeys((*self.first.differentiable, *others)))

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the first, and what the second calls them; a single one needs no name."""
        ours, theirs = list(self.first.forward.outputs), list(self.second.forward.outputs)
        if len(ours) == len(theirs) == 1:
            return dict(zip(ours, theirs, strict=True))
        renamed = {name: self.names.get(name, name) for name in ours}
        for name in (*(set(renamed.values()) - set(theirs)), *(set(theirs) - set(renamed.values()))):
            known = theirs if name not in theirs else list(renamed.values())
            raise ModuleError(
                f"{A} returns {', '.join(ours)} and {B} returns {', '.join(theirs)}; expected the same, but only one"
                f" of them has {name!r}{did_you_mean(name, known)}; {USE_NAMES}"
            )
        return renamed

    @cached_property
    def rows(self) -> Array:
        """Where the outputs of the first lie in the vector of those of the second."""
        layout = self.second.forward.layout
        return np.concatenate([layout.positions(name) for name in self.outputs.values()])

    def compare_outputs(self) -> CheckResult:
        """Compare the outputs, in shape and in every entry."""
        for name, theirs in self.outputs.items():
            shapes = self.first.forward.outputs[name].shape, self.second.forward.outputs[theirs].shape
            if shapes[0] != shapes[1]:
                message = f"output {name} has shape {shapes[0]} by {A} and {shapes[1]} by {B}; expected the same shape"
                return self._result("", [message])
        ours, others = ravel(self.first.forward.outputs), ravel(self.second.forward.outputs)[self.rows]
        scale = max(1.0, _largest(ours), _largest(others))
        layout = self.first.forward.layout
        return self._result(
            "", self._difference(ours, others, scale, lambda i: f"output {entry_path(*layout.locate(i))}")
        )

    def compare_leaf(self, leaf: str) -> CheckResult:
        """Compare what the two backwards say of one leaf: the Jacobian if it fits, and a gradient."""
        theirs = self.names.get(leaf, leaf)
        self._require_gradients(leaf, theirs)
        scale = max(scale_of_the_point(self.first, leaf), scale_of_the_point(self.second, theirs))
        problems = self._jacobians_differ(leaf, theirs, scale) or self._gradients_differ(leaf, theirs, scale)
        return self._result(leaf, [*problems, self._judged(leaf, theirs)] if problems else [])

    def _require_gradients(self, leaf: str, theirs: str) -> None:
        for who, evaluation, name in ((A, self.first, leaf), (B, self.second, theirs)):
            if name not in evaluation.differentiable:
                raise ModuleError(
                    f"{who}, {evaluation.module.name}, has no gradient for {name!r}, and the other has one; expected"
                    f" one of both or of neither: declare it as labels, mask or one_hot, or give it a gradient"
                )

    def _jacobians_differ(self, leaf: str, theirs: str, scale: float) -> list[str]:
        if leaf not in self.first.with_jacobians or theirs not in self.second.with_jacobians:
            return []
        ours, others = self.first.jacobian(leaf), self.second.jacobian(theirs)[self.rows]
        outputs, coordinates = self.first.forward.layout, self._coordinates(leaf)

        def place(i: int) -> str:
            row, column = divmod(i, ours.shape[1])
            return f"{entry_path(*coordinates.locate(column))} → {entry_path(*outputs.locate(row))}"

        return self._difference(ours.ravel(), others.ravel(), max(scale, _largest(ours), _largest(others)), place)

    def _gradients_differ(self, leaf: str, theirs: str, scale: float) -> list[str]:
        cotangent = np.zeros(self.second.forward.layout.size)
        cotangent[self.rows] = self.first.cotangent
        gradients = call_backward(self.second.module, self.second.forward, cotangent)
        others = gradient_of(self.second.module, gradients, theirs, self.second.case.leaves[theirs])
        ours, coordinates = self.first.gradient(leaf), self._coordinates(leaf)
        scale = max(scale * _largest(cotangent), _largest(ours), _largest(others))
        problems = self._difference(ours, others, scale, lambda i: entry_path(*coordinates.locate(i)))
        return [f"the gradient for a generic cotangent: {problem}" for problem in problems]

    def _coordinates(self, leaf: str) -> Layout:
        return Layout.of({leaf: self.first.case.leaves[leaf]})

    def _difference(self, ours: Array, others: Array, scale: float, place: Callable[[int], str]) -> list[str]:
        """One sentence about the entry that differs most, none if all are within threshold and rounding."""
        threshold = self.first.settings.threshold
        gap, magnitude = np.abs(ours - others), np.maximum(np.abs(ours), np.abs(others))
        # `not <=`, so that a NaN differs.
        wrong = ~(gap <= threshold * magnitude + _ROUNDINGS * self._eps * scale)
        if not wrong.any():
            return []
        worst = int(np.argmax(np.where(wrong, np.nan_to_num(gap, nan=np.inf), -1.0)))
        return [
            f"{place(worst)} is {ours[worst]:.10g} by {A} and {others[worst]:.10g} by {B}, {gap[worst]:.1e} apart"
            f" ({int(wrong.sum())} of {wrong.size} entries differ by more than {threshold:g})"
        ]

    @cached_property
    def _eps(self) -> float:
        """Machine epsilon of the coarser of the two."""
        sides = (self.first, self.second)
        arrays = [array for side in sides for array in (*side.forward.outputs.values(), *side.case.leaves.values())]
        return max(max(eps_of(array), shown_eps(array)) for array in arrays if array.dtype.kind in "fc")

    def _judged(self, leaf: str, theirs: str) -> str:
        """With which of the two central differences agree."""
        first, second = check_gradient(self.first, leaf).verdict, check_gradient(self.second, theirs).verdict
        right = [who for who, verdict in ((A, first), (B, second)) if verdict is Verdict.PASS]
        if len(right) == 2:
            return "each agrees with central differences of its own forward: a kink, or functions that differ beside it"
        if right:
            return f"central differences agree with {right[0]}"
        undecided = Verdict.INCONCLUSIVE in (first, second)
        return f"central differences {'cannot tell which is right' if undecided else 'agree with neither'}"

    def _result(self, leaf: str, problems: list[str]) -> CheckResult:
        who = f"{A} is {self.first.module.name}, {B} is {self.second.module.name}"
        if problems:
            return CheckResult("values", Verdict.FAIL, "\n".join([*problems, who]), leaf)
        return CheckResult("values", Verdict.PASS, f"{A} and {B} agree; {who}", leaf)


def _largest(values: Array) -> float:
    return float(np.max(np.abs(values), initial=0.0))
