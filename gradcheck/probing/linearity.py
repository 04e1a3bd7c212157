"""Linearity: backward(αu + βv) = α backward(u) + β backward(v), for small, large and negative cotangents."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gradcheck.algebra.layout import Layout, coordinates
from gradcheck.algebra.precision import eps_of
from gradcheck.algebra.sampling import generator_for
from gradcheck.calculus.analytical import gradient_of
from gradcheck.calculus.calls import call_backward
from gradcheck.checking.check import Check
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.linearity import use_of_the_cotangent
from gradcheck.checking.rounding import rounding_of, rounding_of_sums
from gradcheck.checking.scales import scale_of_products, scale_of_the_point
from gradcheck.values.aliases import Array
from gradcheck.values.entry import entry_path
from gradcheck.values.results import CheckResult, Diagnosis
from gradcheck.values.verdict import Verdict

# α and β for αu + βv, and how that reads. Powers of two change no digit, so that only what is not linear shows.
_LARGE = 2.0**30
_COMBINATIONS = (
    (0.0, 0.0, "0"),
    (1.0, 1.0, "u + v"),
    (-1.0, 0.0, "-u"),
    (-1e3, 1.0, "-1000 u + v"),
    (_LARGE, 0.0, "2³⁰ u"),
    (-_LARGE, 0.0, "-2³⁰ u"),
    (1 / _LARGE, 0.0, "2⁻³⁰ u"),
)
# float16 holds neither 2³⁰ nor -1000 u + v.
_COMBINATIONS_OF_HALF = (*_COMBINATIONS[:3], (-8.0, 1.0, "-8 u + v"), (32.0, 0.0, "32 u"), (1 / 32, 0.0, "u / 32"))
_HALF = float(np.finfo(np.float16).eps)
# Sums leave a few roundings of the format in which they are computed, relative to their terms.
_TRACES = {"float16": (2.0**-13, 2.0**-8), "float32": (2.0**-28, 2.0**-20)}


@dataclass(frozen=True)
class _Residue:
    """By how much one combination misses, relative to its terms (coordinates,), and what is allowed."""

    text: str
    given: Array
    expected: Array
    scale: Array
    allowed: Array

    @cached_property
    def gap(self) -> Array:
        """|given - expected|; 0 where what is expected is beyond the largest number."""
        with np.errstate(all="ignore"):
            gap = np.where(self.given == self.expected, 0.0, np.abs(self.given - self.expected))
        gap = np.where(np.isnan(gap), np.inf, gap)
        return np.asarray(np.where(np.isfinite(self.expected), gap, 0.0))

    @property
    def broken(self) -> bool:
        return bool(np.any(self.gap > self.allowed))

    @property
    def relative(self) -> float:
        positive = self.scale > 0
        return float(np.max(self.gap[positive] / self.scale[positive], initial=0.0))


def check_linearity(evaluation: Evaluation) -> CheckResult:
    """Pull combinations of two generic cotangents back, and compare with the combinations of what those give."""
    problems: list[str] = []
    diagnoses: list[Diagnosis] = []
    notes: list[str] = []
    u, v = evaluation.cotangent, _second(evaluation)
    combinations = _combinations(evaluation)
    from_u, from_v = _pulled_back(evaluation, u), _pulled_back(evaluation, v)
    given = [_pulled_back(evaluation, alpha * u + beta * v) for alpha, beta, _ in combinations]
    for leaf in evaluation.differentiable:
        terms = _Terms.of(evaluation, leaf, (u, v), (from_u[leaf], from_v[leaf]))
        residues = tuple(
            terms.residue(combination, answer[leaf]) for combination, answer in zip(combinations, given, strict=True)
        )
        broken = _confirmed(evaluation, leaf, residues)
        if broken:
            problems.append(_sentence(evaluation, leaf, broken[0]))
            diagnoses += _diagnoses(evaluation, leaf, residues, broken)
        elif precision := _hidden_precision(evaluation, leaf, residues):
            notes.append(f"the gradient of {leaf} is computed in {precision}")
    if problems:
        return CheckResult("linearity", Verdict.FAIL, "\n".join(problems), diagnoses=tuple(diagnoses))
    passed = f"backward is linear in the cotangent: {len(combinations)} combinations of two agree in every leaf"
    return CheckResult("linearity", Verdict.PASS, passed, notes=tuple(notes))


def _combinations(evaluation: Evaluation) -> tuple[tuple[float, float, str], ...]:
    eps = max(evaluation.module.eps, *map(eps_of, evaluation.forward.outputs.values()))
    return _COMBINATIONS_OF_HALF if eps >= _HALF else _COMBINATIONS


def _second(evaluation: Evaluation) -> Array:
    drawn = generator_for(evaluation.settings.seed, "second cotangent").normal(size=evaluation.cotangent.size)
    return np.asarray(np.round(16 * drawn) / 8)


def _pulled_back(evaluation: Evaluation, vector: Array) -> dict[str, Array]:
    """The coordinates of every leaf's gradient; copied at once, since a backward may use its buffers again."""
    module, leaves = evaluation.module, evaluation.case.leaves
    gradients = call_backward(module, evaluation.forward, vector)
    return {leaf: gradient_of(module, gradients, leaf, leaves[leaf]) for leaf in evaluation.differentiable}


@dataclass(frozen=True)
class _Terms:
    """What combinations of u and v are made of, for one leaf: for each of both, in the order (u, v).

    Arguments:
        gradients: what backward gives.
        sizes: Σ |āᵢ Jᵢⱼ|, the scale of a sum that may cancel.
        roundings: what rounding may have left in it.
    """

    gradients: tuple[Array, Array]
    sizes: tuple[Array, Array]
    roundings: tuple[Array, Array]
    threshold: float

    @classmethod
    def of(
        cls, evaluation: Evaluation, leaf: str, cotangents: tuple[Array, Array], gradients: tuple[Array, Array]
    ) -> "_Terms":
        threshold = evaluation.settings.threshold
        if leaf not in evaluation.with_jacobians:
            # Without a Jacobian the terms of a sum are not known; what is far below the largest sum does not count.
            largest = tuple(np.full(g.size, np.max(np.abs(g), initial=0.0)) for g in gradients)
            return cls(gradients, (largest[0], largest[1]), (0 * largest[0], 0 * largest[1]), threshold)
        jacobian = evaluation.jacobians[leaf].absolute()
        natural = scale_of_products(evaluation, leaf, jacobian.largest)
        sizes, roundings = [], []
        for weights in (np.abs(cotangent) for cotangent in cotangents):
            sizes.append(jacobian.pulled_back(weights))
            roundings.append(rounding_of_sums(evaluation, leaf, natural, weights))
        return cls(gradients, (sizes[0], sizes[1]), (roundings[0], roundings[1]), threshold)

    def residue(self, combination: tuple[float, float, str], given: Array) -> _Residue:
        alpha, beta, text = combination
        with np.errstate(all="ignore"):
            # 0 times an entry that is not finite is to be 0, as the cotangent is.
            u, v = self.gradients
            expected = alpha * u + beta * v if alpha else np.zeros(u.size)
            scale, rounding = (abs(alpha) * u + abs(beta) * v for u, v in (self.sizes, self.roundings))
        return _Residue(text, given, expected, scale, self.threshold * scale + rounding)


def _confirmed(evaluation: Evaluation, leaf: str, residues: tuple[_Residue, ...]) -> list[_Residue]:
    """The residues that backward's own rounding does not explain either."""
    if not any(residue.broken for residue in residues):
        return []
    u = evaluation.cotangent
    natural = scale_of_the_point(evaluation, leaf) * np.abs(u).sum()
    own = rounding_of(evaluation, lambda near: near.gradient(leaf), evaluation.eps(leaf), natural)
    size = np.maximum(_terms_of_u(evaluation, leaf), np.finfo(float).tiny)
    widened = [replace(residue, allowed=residue.allowed + own * (residue.scale / size)) for residue in residues]
    return [residue for residue in widened if residue.broken]


def _terms_of_u(evaluation: Evaluation, leaf: str) -> Array:
    weights = np.abs(evaluation.cotangent)
    if leaf not in evaluation.with_jacobians:
        return np.full(coordinates(evaluation.case.leaves[leaf]).size, weights.sum())
    return evaluation.jacobians[leaf].absolute().pulled_back(weights)


def _sentence(evaluation: Evaluation, leaf: str, residue: _Residue) -> str:
    j = int(np.argmax(np.where(residue.gap > residue.allowed, residue.gap, -1.0)))
    entry = entry_path(*Layout.of({leaf: evaluation.case.leaves[leaf]}).locate(j))
    return (
        f"backward is not linear in the cotangent: for {residue.text} it gives {entry} the gradient"
        f" {residue.given[j]:.7g}; expected {residue.expected[j]:.7g}, which follows from its"
        f" answers to u and v, two generic cotangents"
    )


def _diagnoses(
    evaluation: Evaluation, leaf: str, residues: tuple[_Residue, ...], broken: list[_Residue]
) -> Iterator[Diagnosis]:
    if precision := _hidden_precision(evaluation, leaf, residues):
        evidence = f"the gradient of a sum differs from the sum of the gradients by what rounding to {precision} leaves"
        yield Diagnosis("low precision", evidence, "compute backward in the precision of the leaf")
    elif found := use_of_the_cotangent(evaluation, leaf):
        yield found
    elif all("³⁰" in residue.text or "u / 32" in residue.text for residue in broken):
        reach = "large" if any("2³⁰" in residue.text for residue in broken) else "small"
        evidence = f"{leaf}: ordinary cotangents are multiplied, {reach} ones are not: {broken[0].text}"
        yield Diagnosis(
            "cotangent distorted", evidence, "x̄ = Jᵀ ā for ā of any size: do not clip or cut off in backward"
        )


def _hidden_precision(evaluation: Evaluation, leaf: str, residues: tuple[_Residue, ...]) -> str:
    """A format lower than the leaf's whose rounding the residues show: sums miss by it, powers of two by nothing."""
    sums = max((residue.relative for residue in residues if "v" in residue.text), default=0.0)
    scaled = max((residue.relative for residue in residues if residue.text == "-u"), default=0.0)
    if scaled > 0:
        return ""
    for name, (least, most) in _TRACES.items():
        if least <= sums <= most and np.finfo(name).eps > evaluation.eps(leaf):
            return name
    return ""


LINEARITY = Check(
    name="linearity",
    run=lambda evaluation, leaf: check_linearity(evaluation),
    probe=True,
    summary="backward is linear in the cotangent, at every scale and sign",
    what="""\
pulls combinations αu + βv of two generic cotangents back (0, u + v, -u, -1000 u + v, ±2³⁰ u, 2⁻³⁰ u) and compares with
α backward(u) + β backward(v), entry by entry. What the rounding of sums leaves tells float32 or float16 inside.""",
    why="""\
a Jacobian is made of one-hot cotangents, which are 1 where they are not 0. A backward that ignores its cotangent,
takes its absolute value, clips or normalises it has the right Jacobian, and trains a network wrongly.""",
    bug="""\
module = gradcheck.from_functions(
    lambda x: x**2, lambda leaves, a_bar: {"x": 2 * leaves["x"] * np.clip(a_bar, -100, 100)}, inputs={"x": real("N")}
)""",
    fix="multiply by the cotangent as it comes: clip, normalise and add weight decay outside of backward.",
)
