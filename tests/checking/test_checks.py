"""The checks on modules that are right, hard to tell, or wrong in value."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Example, Verdict, real
from gradcheck.checking.checks import CHECKS, check_named
from gradcheck.modules import Linear, Sigmoid
from gradcheck.values.results import GradientEvidence


def evidence_of(report: gradcheck.Report) -> GradientEvidence:
    (evidence,) = [c.evidence for case in report.verification.cases for c in case.checks if c.evidence]
    return evidence


def square(factor: float = 2.0, **declared: Any) -> gradcheck.Module:
    return gradcheck.from_functions(
        lambda x: x**2, lambda leaves, a: {"x": factor * leaves["x"] * a}, name="Square", **declared
    )


def test_the_worst_entry_is_named_with_both_indices() -> None:
    def backward(leaves: Any, a: Any) -> Any:
        gradient = leaves["x"].T @ a
        gradient[2, 0] *= 1.01
        return {"x": a @ leaves["weight"].T, "weight": gradient}

    affine = gradcheck.from_functions(lambda x, weight: x @ weight, backward)
    x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, -6.0]])
    report = gradcheck.check(affine, {"x": x, "weight": np.ones((3, 4))})
    ((case, check),) = report.verification.failures
    assert case.id == "module[given point]"
    assert check.evidence is not None
    entries = {entry.path: entry for entry in check.evidence.worst}
    assert set(entries) == {"weight[2, 0] → a[0, 0]", "weight[2, 0] → a[1, 0]"}
    assert entries["weight[2, 0] → a[1, 0]"].analytical == pytest.approx(-6.06)
    assert entries["weight[2, 0] → a[1, 0]"].numerical == pytest.approx(-6.0)
    assert (check.evidence.failing, check.evidence.entries) == (2, 96)


def test_the_ladder_and_the_strictest_threshold_that_holds() -> None:
    evidence = evidence_of(gradcheck.check(square(2.0 * (1 + 3e-6)), {"x": np.array([1.0, 2.0])}))
    assert [verdict for _, verdict in evidence.ladder] == [Verdict.PASS] * 2 + [Verdict.FAIL] * 2
    assert evidence.strictest == 1e-5
    assert evidence.relative_error == pytest.approx(3e-6, rel=1e-3)


def test_delta_of_the_lecture_is_the_squared_distance_of_a_column() -> None:
    evidence = evidence_of(gradcheck.check(square(3.0), {"x": np.array([1.0, 2.0])}))
    assert evidence.delta == pytest.approx(4.0)  # (3·2 - 2·2)²


def test_coverage_is_stated() -> None:
    coverage = evidence_of(gradcheck.check(square(), {"x": np.array([1.0, 2.0])})).coverage
    assert (coverage.coordinates, coverage.alone, coverage.forwards) == (2, 2, 4)
    assert coverage.detectable == pytest.approx(4.0 * 1e-5, rel=0.01)


@pytest.mark.parametrize("factor", [1 + 1.5e-5, 1 - 1.5e-5])
def test_what_is_said_to_be_detectable_is_detected(factor: float) -> None:
    assert gradcheck.check(square(2.0 * factor), {"x": np.array([1.0, 2.0])}).verdict is Verdict.FAIL


def test_float32_is_inconclusive_where_it_cannot_tell_and_says_what_can() -> None:
    report = gradcheck.check(square(), {"x": np.array([1.0, 2.0], np.float32)}, threshold=1e-7)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "cannot be told at 1e-07" in str(report)
    assert not report.passed
    assert gradcheck.check(
        square(), {"x": np.array([1.0, 2.0], np.float32)}, threshold=1e-7, inconclusive="warn"
    ).passed


def test_a_forward_that_does_not_repeat_is_inconclusive_not_wrong() -> None:
    generator = np.random.default_rng(0)
    noisy = gradcheck.from_functions(
        lambda x: np.exp(x) + 1e-3 * generator.normal(size=x.shape), lambda leaves, a: {"x": np.exp(leaves["x"]) * a}
    )
    report = gradcheck.check(noisy, {"x": np.array([1.0, 2.0])})
    verdicts = {check.check: check.verdict for check in report.verification.cases[0].checks}
    assert verdicts["gradient"] is Verdict.INCONCLUSIVE
    assert verdicts["repeatability"] is Verdict.FAIL
    assert "the forward repeats to" in str(report)
    assert "give the module its random stream" in str(report)


def test_small_functions_are_judged_by_their_own_scale() -> None:
    tiny = gradcheck.from_functions(lambda x: 1e-6 * x**2, lambda leaves, a: {"x": 4e-6 * leaves["x"] * a})
    assert gradcheck.check(tiny, {"x": np.array([1.0, 2.0])}).verdict is Verdict.FAIL


@pytest.mark.parametrize(("factor", "verdicts"), [(1.0, {Verdict.PASS, Verdict.INCONCLUSIVE}), (2.0, {Verdict.FAIL})])
def test_a_large_offset_hides_no_wrong_gradient(factor: float, verdicts: set[Verdict]) -> None:
    offset = gradcheck.from_functions(lambda x: 1e9 + 1e-3 * x, lambda leaves, a: {"x": factor * 1e-3 * a})
    assert gradcheck.check(offset, {"x": np.array([0.4, -0.9])}).verdict in verdicts


def test_a_gradient_that_is_zero_up_to_rounding_passes() -> None:
    """Softmax does not change when a constant is added, and its gradient by that constant is 1e-17."""

    def softmax(z: Any) -> Any:
        return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)

    def backward(leaves: Any, a: Any) -> Any:
        p = softmax(leaves["x"] + leaves["b"][:, None])
        gradient = p * (a - (a * p).sum(axis=-1, keepdims=True))
        return {"x": gradient, "b": gradient.sum(axis=1)}

    module = gradcheck.from_functions(lambda x, b: softmax(x + b[:, None]), backward)
    x = np.random.default_rng(0).normal(size=(2, 4))
    assert gradcheck.check(module, {"x": x, "b": np.array([0.7, 0.2])}, threshold=1e-7).verdict is Verdict.PASS


def test_zero_on_both_sides_passes_with_a_note() -> None:
    dead = gradcheck.from_functions(lambda x: np.maximum(x, 0), lambda leaves, a: {"x": a * 7 * (leaves["x"] > 0)})
    report = gradcheck.check(dead, {"x": np.array([-1.0, -2.0])})
    assert report.verdict is Verdict.PASS
    assert "this point cannot tell: x has no influence here: its Jacobian is 0 on both sides" in str(report)


def test_several_outputs_and_their_cotangents_have_one_structure() -> None:
    def backward(leaves: Any, bar: Any) -> Any:
        return {"x": bar["sine"] * np.cos(leaves["x"]) + bar["total"]}

    both = gradcheck.from_functions(
        lambda x: {"sine": np.sin(x), "total": x.sum()},
        backward,
        inputs={"x": real("N")},
        outputs={"sine": "N", "total": ""},
    )
    assert gradcheck.check(both, threshold=1e-7).verdict is Verdict.PASS


def test_outputs_are_compared_with_their_declaration() -> None:
    wrong = square(inputs={"x": real("N D")}, outputs={"a": "D N"})
    assert "output a has shape (2, 3), declared 'D N'" in str(gradcheck.check(wrong))
    misnamed = gradcheck.from_functions(
        lambda x: {"b": x}, lambda leaves, bar: {"x": bar["b"]}, inputs={"x": real("N")}, outputs={"a": "N"}
    )
    assert "forward returned outputs b; declared are a" in str(gradcheck.check(misnamed))


class Wrong(Sigmoid):
    examples: Any = (Example({"x": [0.0]}, [0.25]),)


class WrongShape(Sigmoid):
    examples: Any = (Example({"x": [0.0]}, [[0.5]]),)


class WrongName(Sigmoid):
    examples: Any = (Example({"x": [0.0]}, {"b": [0.5]}),)


class WrongLeaf(Sigmoid):
    examples: Any = (Example({"z": [0.0]}, [0.5]),)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Wrong(), "output a[0] is 0.5; the example says 0.25 (1 of 1 entries differ by more than 1e-09)"),
        (WrongShape(), "output a has shape (1,); the example says (1, 1)"),
        (WrongName(), "the example gives the outputs b; forward returned a"),
        (WrongLeaf(), "WrongLeaf has no leaf 'z'"),
    ],
)
def test_an_example_that_does_not_come_out_is_named(module: gradcheck.Module, message: str) -> None:
    report = gradcheck.check(module)
    assert message in str(report)
    assert {case.case for case, _ in report.verification.failures} == {"example 1"}


class Referenced(Linear):
    reference = Linear()


class Shifted(Linear):
    reference = Linear()

    def forward(self, x: Any, weight: Any, bias: Any) -> Any:
        a, saved = super().forward(x, weight, bias)
        return a + 1e-3, saved


class Tilted(Linear):
    reference = Linear()

    def backward(self, saved: Any, a_bar: Any, /) -> Any:
        return {**super().backward(saved, a_bar), "bias": 2 * a_bar.sum(axis=0)}


class Reshaped(Linear):
    reference = gradcheck.from_functions(lambda x, weight, bias: (x @ weight + bias)[None], lambda leaves, a: {})


def test_a_reference_must_agree_in_value_and_gradient() -> None:
    report = gradcheck.check(Referenced())
    assert report.verdict is Verdict.PASS
    messages = [check.message for case in report.verification.cases for check in case.checks]
    assert "agrees with the reference Linear" in messages
    assert "output a[" in str(gradcheck.check(Shifted()))
    assert "Jacobian of bias[0, 0] is 2; the reference Linear says 1" in str(gradcheck.check(Tilted()))
    assert "the reference module says (1, 2, 5)" in str(gradcheck.check(Reshaped()))


def test_a_reference_is_compared_with_by_its_own_size() -> None:
    class Doubled(gradcheck.Module):
        reference = gradcheck.from_functions(lambda x: 1e-6 * x, lambda leaves, a: {"x": 1e-6 * a}, name="tiny")

        def forward(self, x: Any) -> Any:
            return 2e-6 * x, None

        def backward(self, saved: Any, a_bar: Any, /) -> Any:
            return {"x": 2e-6 * a_bar}

    point = {"x": np.array([1.0, -2.0])}
    with pytest.raises(gradcheck.GradientMismatch, match="the reference tiny says -2e-06"):
        gradcheck.assert_passes(Doubled(), point, checks=["values"])


def test_a_reference_whose_terms_cancel_may_leave_another_rounding() -> None:
    class Nothing(gradcheck.Module):
        reference = gradcheck.from_functions(lambda x: (x + 0.1) - x - 0.1, lambda leaves, a: {"x": 0 * a})

        def forward(self, x: Any) -> Any:
            return 0 * x, None

        def backward(self, saved: Any, a_bar: Any, /) -> Any:
            return {"x": 0 * a_bar}

    gradcheck.assert_passes(Nothing(), {"x": np.array([1.0, -2.0, 0.3])}, checks=["values"])


def test_what_a_module_has_to_say_is_said_once() -> None:
    class Noted(Linear):
        notes = ("verified in float32, since its kernel takes nothing else",)

    point = {"x": np.eye(2, 3), "weight": np.ones((3, 5)), "bias": np.ones(5)}
    text = str(gradcheck.check(Noted(), point, checks=["gradient"]))
    assert text.count("verified in float32") == 1


def test_every_check_explains_itself() -> None:
    for check in CHECKS:
        assert check_named(check.name) is check
        assert all([check.summary, check.what, check.why, check.fix])
    assert check_named("nothing") is None


@pytest.mark.parametrize(
    "use",
    [
        lambda a: np.ones_like(a),
        lambda a: a**3,
        lambda a: np.clip(a, 0, 1),
        lambda a: np.abs(a),
        lambda a: np.sign(a),
    ],
)
def test_a_cotangent_that_is_not_simply_multiplied_by_is_noticed(use: Any) -> None:
    """A scalar output has one one-hot cotangent, and it is 1: ignoring it gives the right Jacobian."""
    norm = gradcheck.from_functions(lambda x: (x**2).sum(), lambda leaves, a: {"x": 2 * leaves["x"] * use(a)})
    report = gradcheck.check(norm, {"x": np.array([1.0, 2.0])})
    assert report.verdict is Verdict.FAIL
    assert "backward is not linear in the cotangent: for a generic one it gives x[1] the gradient" in str(report)
    assert evidence_of(report).strictest is None


class Plain(gradcheck.Module):
    """A stochastic module; its reference draws the same numbers."""

    inputs = {"x": real("N D")}
    stochastic = True

    def forward(self, x: Any, rng: Any) -> Any:
        kept = rng.random(x.shape) < 0.5
        return x * kept, kept

    def backward(self, saved: Any, a_bar: Any, /) -> Any:
        return {"x": a_bar * saved}


class Again(Plain):
    reference = Plain


class ByFunction(Sigmoid):
    @property
    def reference(self) -> Any:
        return lambda x: 0.5 * (1 + np.tanh(x / 2))


class ByWrongFunction(Sigmoid):
    @property
    def reference(self) -> Any:
        return lambda x: np.tanh(x)


class TwoOutputs(gradcheck.Module):
    inputs = {"x": real("N")}
    examples: Any = (Example({"x": [1.0]}, [2.0]),)

    def forward(self, x: Any) -> Any:
        return {"p": 2 * x, "q": x}, None

    def backward(self, _saved: Any, bar: Any, /) -> Any:
        return {"x": 2 * bar["p"] + bar["q"]}


class TheOtherWayRound(TwoOutputs):
    examples = ()
    reference = gradcheck.from_functions(
        lambda x: {"q": x, "p": 2 * x}, lambda leaves, bar: {"x": 2 * bar["p"] + bar["q"]}
    )


class TooMany(Sigmoid):
    reference = TwoOutputs()


class NoNumbers(Sigmoid):
    examples = (Example({"x": [0.0]}, "half"),)  # type: ignore[assignment]  # fewer than the base has


@pytest.mark.parametrize("module", [Again(), ByFunction(), TheOtherWayRound()])
def test_references_that_agree(module: gradcheck.Module) -> None:
    assert gradcheck.check(module).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (ByWrongFunction(), "output a[0, 0] is"),
        (TwoOutputs(), "the example gives one output; forward returned p, q: give a dict with all of them"),
        (TooMany(), "forward returned 1 outputs; the reference has 2"),
        (NoNumbers(), "the example says 'half' for output a; expected an array of numbers"),
    ],
)
def test_references_and_examples_that_do_not(module: gradcheck.Module, message: str) -> None:
    assert message in str(gradcheck.check(module))
