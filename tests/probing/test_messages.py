"""What the probes say, of wrong modules and of right ones."""

import re
import threading
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Module, Verdict, real
from gradcheck.modules import Softmax
from gradcheck.running.plan import plan
from gradcheck.running.registry import Subject
from gradcheck.values.results import CheckResult, Source

X = {"x": real("N D")}


def of(probe: str, module: Module, **options: Any) -> CheckResult:
    """The result of a probe at the first case."""
    return gradcheck.check(module, checks=[probe], **options).verification.cases[0].checks[0]


def functions(forward: Any, backward: Any, **options: Any) -> Module:
    return gradcheck.from_functions(forward, lambda leaves, a: {"x": backward(leaves["x"], a)}, inputs=X, **options)


def square(backward: Any) -> Module:
    return functions(lambda x: x**2, backward)


@pytest.mark.parametrize(
    ("backward", "cause", "message"),
    [
        (lambda x, a: 2 * x * np.abs(a), "cotangent distorted", "for 0|for u \\+ v|for -u"),
        (lambda x, a: 2 * x, "cotangent ignored", "for 0 it gives x\\[\\d, \\d\\] the gradient .*; expected 0"),
        (lambda x, a: 2 * x * a + 0.1 * x, "constant added", "for 0 it gives"),
        (lambda x, a: 2 * x * np.clip(a, -1e6, 1e6), "cotangent distorted", "for 2³⁰ u it gives"),
        (lambda x, a: 2 * x * np.where(np.abs(a) > 1e-6, a, 0), "cotangent distorted", "for 2⁻³⁰ u it gives"),
        (lambda x, a: (2 * x * a).astype(np.float16).astype(float), "low precision", "answers to u and v, two generic"),
    ],
)
def test_linearity_says_for_which_cotangent_and_why(backward: Any, cause: str, message: str) -> None:
    result = of("linearity", square(backward))
    assert result.verdict is Verdict.FAIL
    assert re.search(message, result.message)
    assert [diagnosis.cause for diagnosis in result.diagnoses] == [cause]


def test_a_cotangent_that_is_written_to_does_not_look_like_state() -> None:
    def doubled_in_place(x: Any, a: Any) -> Any:
        a *= 2 * x
        return a

    checks = gradcheck.check(square(doubled_in_place)).verification.cases[0].checks
    assert {check.check for check in checks if check.verdict is not Verdict.PASS} == {"purity", "layouts"}
    assert "backward writes to its cotangent" in of("purity", square(doubled_in_place)).message
    assert "a cotangent with write protection: " in of("layouts", square(doubled_in_place)).message


def test_linearity_notes_float32_inside_of_a_right_backward() -> None:
    result = of("linearity", square(lambda x, a: (2 * x.astype(np.float32) * a.astype(np.float32)).astype(float)))
    assert result.verdict is Verdict.PASS
    assert result.notes == ("the gradient of x is computed in float32",)
    assert of("linearity", square(lambda x, a: 2 * x * a)).notes == ()


def test_an_overflow_of_the_gradient_itself_is_linear() -> None:
    huge = gradcheck.from_functions(lambda x: 1e300 * x, lambda leaves, a: {"x": 1e300 * a})
    assert gradcheck.check(huge, {"x": np.ones(2)}, checks=["linearity"]).verdict is Verdict.PASS


def shifted(x: Any) -> Any:
    x += 1
    return x * 1.0


def scaled(x: Any, a: Any) -> Any:
    a *= 2
    return a * x


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (functions(shifted, lambda x, a: a.copy()), "forward writes to its leaf x: work on copies"),
        (square(scaled), "backward writes to its cotangent a"),
        (functions(lambda x: x + 1, lambda x, a: a), "the gradient of x shares memory with the cotangent a"),
        (functions(lambda x: x.sum() + 0 * x, lambda x, a: x), "the gradient of x shares memory with the leaf x"),
    ],
)
def test_purity_says_what_is_written_or_shared(module: Module, message: str) -> None:
    result = of("purity", module)
    assert result.verdict is Verdict.FAIL
    assert message in result.message


def test_layouts_name_the_leaf_and_the_layout() -> None:
    def product(x: Any, y: Any) -> Any:
        return x * y.ravel(order="K").reshape(y.shape)

    module = gradcheck.from_functions(
        product, lambda leaves, a: {"x": a * leaves["y"], "y": a * leaves["x"]}, inputs={**X, "y": real("N D")}
    )
    message = of("layouts", module).message
    assert re.search(r"^y with Fortran order: output a\[\d, \d\] is .* instead of", message)
    assert "x with" not in message
    assert "a cotangent" not in message


def test_layouts_accept_that_the_other_byte_order_is_refused() -> None:
    def picky(x: Any) -> Any:
        if not x.dtype.isnative:
            raise TypeError("byte order")
        return 2 * x

    result = of("layouts", functions(picky, lambda x, a: 2 * a))
    assert result.verdict is Verdict.PASS
    result = of("layouts", functions(lambda x: 2 * x, lambda x, a: picky(a)))
    assert result.verdict is Verdict.PASS
    assert "refuses non-native byte order" in result.message


def test_layouts_try_scalars_as_arrays_without_axes_and_as_numbers() -> None:
    def indexed(leaves: Any, a: Any) -> Any:
        return {"x": a[()] * np.ones(leaves["x"].shape)} if isinstance(a, np.ndarray) else {"x": a.item(0, 0)}

    module = gradcheck.from_functions(lambda x: x.sum(), indexed, inputs=X)
    assert "a cotangent with a numpy scalar: " in of("layouts", module).message


def test_repeatability_names_where_the_randomness_comes_from() -> None:
    own = np.random.default_rng(0)
    of_numpy = functions(lambda x: x * np.random.random(x.shape), lambda x, a: 0.5 * a)
    of_its_own = functions(lambda x: x * own.random(x.shape), lambda x, a: 0.5 * a)
    of_backward = functions(lambda x: x + 0.0, lambda x, a: a * (own.random(a.shape) > 0.5))
    assert (
        "it draws from numpy's global generator: declare `stochastic = True`" in of("repeatability", of_numpy).message
    )
    assert "a counter, a clock, a generator of its own: declare" in of("repeatability", of_its_own).message
    assert "backward is not repeatable" in of("repeatability", of_backward).message
    assert "use it in backward instead of drawing again" in of("repeatability", of_backward).message


@pytest.mark.parametrize("probe", ["layouts", "state", "serialisation"])
def test_answers_that_do_not_repeat_are_not_compared(probe: str) -> None:
    own = np.random.default_rng(0)
    result = of(probe, functions(lambda x: x * own.random(x.shape), lambda x, a: 0.5 * a))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "the module does not repeat itself (see 'repeatability'): output a[" in result.message


@pytest.mark.parametrize("probe", ["layouts", "state", "stability", "serialisation", "linearity", "purity", "leaves"])
def test_a_module_that_has_no_answer_at_the_point_is_an_error(probe: str) -> None:
    def broken(x: Any) -> Any:
        raise IndexError("gone")

    assert of(probe, functions(broken, lambda x, a: a.copy())).verdict is Verdict.ERROR


class IgnoresTheStream(Module):
    inputs, stochastic = X, True

    def forward(self, x: Any, rng: Any) -> Any:
        mask = np.random.random(x.shape) > 0.5
        return x * mask, mask

    def backward(self, saved: Any, a_bar: Any) -> Any:
        return {"x": a_bar * saved}


class Evaluates(IgnoresTheStream):
    def forward(self, x: Any, rng: Any) -> Any:
        return 2 * x, np.full(x.shape, 2.0)


def test_a_stream_that_is_ignored_is_named_as_such() -> None:
    assert "; it ignores the stream it is given: draw from `rng`" in of("repeatability", IgnoresTheStream()).message
    assert of("repeatability", Evaluates()).message.endswith("another stream makes no difference here")


def test_a_mask_of_four_entries_does_not_come_out_the_same_by_chance() -> None:
    class KeepsMost(IgnoresTheStream):
        def forward(self, x: Any, rng: Any) -> Any:
            mask = np.random.random(x.shape) < 0.8  # three in a row are the same one time in fourteen
            return x * mask, mask

    np.random.seed(0)
    found = [of("repeatability", KeepsMost(), cases=[{"N": 2, "D": 2}]).verdict for _ in range(50)]
    assert found == [Verdict.FAIL] * 50


def test_a_small_spread_is_measured_and_noted() -> None:
    own = np.random.default_rng(0)
    result = of("repeatability", functions(lambda x: x * (1 + 1e-12 * own.random()), lambda x, a: a.copy()))
    assert result.verdict is Verdict.PASS
    assert re.match(r"repeated at the same point, forward differs by \d\.\de-1\d of its", result.notes[0])


class Adds:
    """Adds to one gradient and overwrites the other."""

    def __init__(self, D: int = 3) -> None:
        self.params = {"w": np.ones(D), "b": np.zeros(D)}
        self.grads = {"w": np.zeros(D), "b": np.zeros(D)}

    def forward(self, x: Any) -> Any:
        self.x = x
        return x * self.params["w"] + self.params["b"]

    def backward(self, da: Any) -> Any:
        self.grads["w"] += (self.x * da).sum(axis=0)
        self.grads["b"] = da.sum(axis=0)
        return da * self.params["w"]


class AddsAll(Adds):
    def backward(self, da: Any) -> Any:
        self.grads["b"] += da.sum(axis=0)
        self.grads["w"] += (self.x * da).sum(axis=0)
        return da * self.params["w"]


class AddsOnce(AddsAll):
    rounds = 0

    def backward(self, da: Any) -> Any:
        self.rounds += 1
        if self.rounds == 3:
            self.grads = {name: 0 * value for name, value in self.grads.items()}
        return super().backward(da)


@pytest.mark.parametrize(
    ("kind", "accumulates", "message"),
    [
        (Adds, None, "the gradient of w is added to, that of b is overwritten: do the same for all"),
        (Adds, True, "accumulates=True is declared, but the gradient of b is overwritten, not added"),
        (AddsAll, False, "accumulates=False is declared, but the gradient of w is added, not overwritten"),
        (AddsOnce, None, "after 3 rounds of forward and backward the gradient of w is neither that of the last"),
    ],
)
def test_state_says_how_gradients_are_kept(kind: Any, accumulates: bool | None, message: str) -> None:
    module = gradcheck.from_object(kind, inputs=X, outputs={"a": "N D"}, accumulates=accumulates)
    assert message in of("state", module).message


@pytest.mark.parametrize("accumulates", [None, True])
def test_gradients_that_are_always_added_pass(accumulates: bool | None) -> None:
    module = gradcheck.from_object(AddsAll, inputs=X, outputs={"a": "N D"}, accumulates=accumulates)
    assert gradcheck.check(module).verdict is Verdict.PASS


class Tied:
    """One array under two names, used twice: in the same orientation, or as a transposed view."""

    def __init__(self, second: Any) -> None:
        weight = np.arange(1.0, 10).reshape(3, 3)
        self.params = {"encoder": weight, "decoder": second(weight)}
        self.grads: dict[str, Any] = {}

    def forward(self, x: Any) -> Any:
        self.x = x
        self.h = x @ self.params["encoder"]
        return self.h @ self.params["decoder"]

    def backward(self, da: Any) -> Any:
        dh = da @ self.params["decoder"].T
        self.grads = {"decoder": self.h.T @ da, "encoder": self.x.T @ dh}
        return dh @ self.params["encoder"].T


@pytest.mark.parametrize("second", [lambda w: w, lambda w: w.T], ids=["the same", "transposed"])
def test_tied_parameters_are_verified_as_one(second: Any) -> None:
    module = gradcheck.from_object(lambda: Tied(second), inputs={"x": real("N 3")}, name="Tied")
    report = gradcheck.check(module)
    assert report.verdict is Verdict.PASS, str(report)
    leaves = of("leaves", module)
    assert leaves.message == "a gradient for each of x, encoder; decoder is encoder, verified as one"


def test_parameters_that_share_a_part_of_their_memory_are_refused() -> None:
    module = gradcheck.from_object(lambda: Tied(lambda w: w[:2]), inputs={"x": real("N 3")}, name="Tied")
    with pytest.raises(gradcheck.DeclarationError, match=r"encoder \(3, 3\) and decoder \(2, 3\) share a part"):
        gradcheck.check(module)


class Shifts:
    def __init__(self) -> None:
        self.params, self.grads = {"w": np.ones(3)}, {"w": np.zeros(3)}
        self.statistics = {"mean": np.full(3, 0.5)}
        self.velocity = np.zeros(3)

    def forward(self, x: Any) -> Any:
        self.x = x - self.statistics["mean"]
        return self.x * self.params["w"]

    def backward(self, da: Any) -> Any:
        self.grads["w"] = (self.x * da).sum(axis=0)
        return da * self.params["w"]


def test_leaves_name_the_array_that_nobody_accounts_for() -> None:
    result = of("leaves", gradcheck.from_object(Shifts, inputs={"x": real("N 3")}))
    assert result.message == (
        "the array in statistics['mean'] influences the output, but there is no gradient for it: name that in"
        " gradients= or grads, or say exclude=(\"statistics['mean']\",) if it is no parameter"
    )
    excluded = gradcheck.from_object(Shifts, inputs={"x": real("N 3")}, exclude=["statistics"])
    assert of("leaves", excluded).message == "a gradient for each of x, w; excluded: statistics"
    unknown = gradcheck.from_object(Shifts, inputs={"x": real("N 3")}, exclude=["mean"])
    with pytest.raises(gradcheck.DeclarationError, match=r"exclude names mean; the object keeps arrays in .*'mean'\]"):
        gradcheck.check(unknown)


class Claims(Module):
    inputs, outputs = X, {"a": "N D"}

    def __init__(self, **facts: Any) -> None:
        self.__dict__.update(facts)

    def forward(self, x: Any) -> Any:
        return np.cumsum(x, axis=0), None

    def backward(self, saved: Any, a_bar: Any) -> Any:
        return {"x": np.cumsum(a_bar[::-1], axis=0)[::-1].copy()}


def test_structure_names_the_entry_that_breaks_a_claim() -> None:
    assert "jacobian = 'diagonal' is claimed, but the Jacobian is 1 at x[0, 0] → a[1, 0]" in (
        of("structure", Claims(jacobian="diagonal")).message
    )
    assert "independent = ('N',) is claimed, but the Jacobian is 1 at x[0, 0] → a[1, 0] (3 such entries)" in (
        of("structure", Claims(independent=("N",))).message
    )
    assert of("structure", Claims(independent=("D",))).verdict is Verdict.PASS
    assert "no leaf and output both have the dimension K" in of("structure", Claims(independent=("K",))).message
    assert of("structure", Claims(jacobian="sparse")).message == "jacobian is 'sparse': expected 'diagonal', or nothing"


def test_slices_along_several_leading_axes_are_told_apart() -> None:
    softmax = Softmax()
    assert softmax.independent == ("*B",)
    assert of("structure", softmax).verdict is Verdict.PASS
    object.__setattr__(softmax, "independent", ("K",))
    assert "independent = ('K',) is claimed, but the Jacobian is" in of("structure", softmax).message


def test_a_diagonal_claim_needs_outputs_of_the_shape_of_the_inputs() -> None:
    module = functions(lambda x: x.sum(axis=1), lambda x, a: np.repeat(a[:, None], x.shape[1], axis=1))
    object.__setattr__(module, "jacobian", "diagonal")
    assert "but x has shape (2, 3) and a (2,)" in of("structure", module).message


@pytest.mark.parametrize(
    ("forward", "backward", "message"),
    [
        (
            lambda x: np.log(1 + np.exp(x)),
            lambda x, a: a / (1 + np.exp(-x)),
            r"with x large \(up to \d+ in magnitude\) output a is inf; just before it is 7\d\d",
        ),
        (
            lambda x: np.sqrt((x**2).sum()),
            lambda x, a: a * x / np.sqrt((x**2).sum()),
            r"with x 0 throughout the gradient of x is nan; it stays bounded on the way there",
        ),
        (
            lambda x: np.sin(x) / x,
            lambda x, a: np.where(np.abs(x) < 1e-4, -x / 3, (np.cos(x) - np.sin(x) / x) / x) * a,
            r"with x 0 throughout output a is nan; it tends to 1, so that a finite answer exists",
        ),
    ],
)
def test_stability_says_where_an_answer_is_lost(forward: Any, backward: Any, message: str) -> None:
    assert re.search(message, of("stability", functions(forward, backward)).message)


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (lambda x: np.exp(x), lambda x, a: a * np.exp(x)),
        (lambda x: x**9, lambda x, a: 9 * x**8 * a),
        (lambda x: 1 / x, lambda x, a: -a / x**2),
        (lambda x: np.log(np.abs(x)), lambda x, a: a / x),
        (lambda x: np.sqrt(np.abs(x)), lambda x, a: a * np.sign(x) * 0.5 / np.sqrt(np.abs(x))),
        (lambda x: x / np.sqrt((x**2).sum()), lambda x, a: None),
    ],
)
def test_stability_asks_for_no_answer_where_there_is_none(forward: Any, backward: Any) -> None:
    result = of("stability", functions(forward, backward))
    assert result.verdict is Verdict.PASS, result.message


def refuses(x: Any) -> Any:
    if np.max(np.abs(x)) > 100:
        raise ValueError("too large")
    return np.exp(x)


def test_a_module_may_refuse_extremes() -> None:
    assert of("stability", functions(refuses, lambda x, a: a * np.exp(x))).verdict is Verdict.PASS


def test_python_numbers_that_overflow_are_instable_too() -> None:
    import math

    def logistic(x: Any) -> Any:
        return np.array([[1 / (1 + math.exp(-v)) for v in row] for row in x])

    result = of("stability", functions(logistic, lambda x, a: a * logistic(x) * (1 - logistic(x))))
    assert "is nan; just before it is" in result.message


class Locked:
    def __init__(self) -> None:
        self.lock = threading.Lock()

    def forward(self, x: Any) -> Any:
        return 2 * x

    def backward(self, da: Any) -> Any:
        return 2 * da


def test_what_cannot_be_pickled_is_mentioned() -> None:
    result = of("serialisation", square(lambda x, a: 2 * x * a))
    assert result.verdict is Verdict.PASS
    assert "pickling is not possible (" in result.message
    assert "the same gradients after" in result.message


class Forgets(Module):
    inputs = X

    def __init__(self) -> None:
        self.slope = 3.0

    def __setstate__(self, state: Any) -> None:
        raise KeyError("slope")

    def forward(self, x: Any) -> Any:
        return self.slope * x, None

    def backward(self, saved: Any, a_bar: Any) -> Any:
        return {"x": self.slope * a_bar}


def test_what_cannot_be_unpickled_fails() -> None:
    result = of("serialisation", Forgets())
    assert result.verdict is Verdict.FAIL
    assert "after pickling: unpickling raised KeyError: 'slope'" in result.message


class Waives(Claims):
    jacobian, waive = "diagonal", {"structure": "only the diagonal is used"}


def test_a_waived_probe_is_not_run_and_says_why() -> None:
    report = gradcheck.check(Waives())
    assert report.verdict is Verdict.PASS
    result = of("structure", Waives())
    assert (result.verdict, result.message) == (Verdict.WAIVED, "only the diagonal is used")
    assert "waived  Waives::structure: only the diagonal is used" in str(report)
    assert gradcheck.check(Claims(jacobian="diagonal"), waive={"structure": "as above"}).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"checks": ["gradients"]}, "there is no check 'gradients'; .*; did you mean 'gradient'"),
        ({"checks": "gradient"}, "checks is 'gradient': expected names of checks"),
        ({"waive": {"purety": "x"}}, "there is no check 'purety'; .*; did you mean 'purity'"),
        (
            {"waive": {"gradient": "x"}},
            "'gradient' cannot be waived, only behaviour probes and surveys: linearity, purity",
        ),
        ({"waive": {"purity": " "}}, "waive gives no reason for purity"),
        ({"waive": {"purity": 3}}, "waive is .*: expected probes with reasons"),
        ({"waive": ["purity"]}, "waive is .*: expected probes with reasons"),
    ],
)
def test_wrong_selections_are_refused(options: Any, message: str) -> None:
    with pytest.raises(gradcheck.ConfigurationError, match=message):
        gradcheck.check(Claims(), **options)


def test_a_module_that_waives_what_cannot_be_waived_is_refused_once() -> None:
    wrong = Claims(waive={"gradient": "too slow"})
    with pytest.raises(gradcheck.DeclarationError, match="Claims: the check 'gradient' cannot be waived"):
        gradcheck.check(wrong)
    (problem,) = plan([Subject(wrong, Source("")), Subject(Claims(), Source(""))]).problems
    assert problem.message.startswith(
        "Claims: the check 'gradient' cannot be waived, only behaviour probes and surveys"
    )
