"""from_torch: modules with options, at given arguments or with declarations to draw points from."""

from typing import Any

import pytest

import gradcheck
from gradcheck import ConfigurationError, DeclarationError, PointError, Verdict, labels, positive, real
from tests.plugins.torch.judging import Function, drawn, fails, from_torch, leaves_of, passes, results, torch

nn: Any = torch.nn
F: Any = torch.nn.functional


def test_arguments_are_the_point_at_which_it_is_verified() -> None:
    module = from_torch(torch.sin, arguments={"x": drawn(3)}, name="sine")
    report = passes(module, {})
    assert module.name == "sine"
    assert leaves_of(report) == ["x"]
    passes(module, {"x": drawn(3).numpy() + 1})  # or another


def test_declared_inputs_are_drawn_and_a_modules_parameters_declare_themselves() -> None:
    module = from_torch(nn.Linear(5, 3), inputs={"x": real("N 5")}, outputs={"a": "N 3"})
    report = passes(module, None)
    assert {check.leaf for check in results(report) if check.check == "gradient"} == {"x", "weight", "bias"}
    assert len(report.verification.cases) == 2
    assert any(check.check == "stability" for check in results(report))


def test_declared_leaves_lie_in_arguments_by_their_paths() -> None:
    def cell(x: Any, state: Any, options: Any) -> Any:
        return x * state[0] + options["scale"] * state[1]

    inputs = {"x": real("N"), "state[0]": real("N"), "state[1]": real("N"), "options.scale": positive()}
    assert "options.scale" in leaves_of(passes(from_torch(cell, inputs=inputs), None))


def test_a_function_may_have_parameters_and_labels() -> None:
    def loss(x: Any, weight: Any, y: Any, reduction: str) -> Any:
        return F.cross_entropy(x @ weight, y, reduction=reduction)

    module = from_torch(
        loss,
        inputs={"x": real("N D"), "y": labels("N", classes="K")},
        parameters={"weight": real("D K")},
        kwargs={"reduction": "sum"},
    )
    assert set(leaves_of(passes(module, None))) == {"x", "weight"}


def test_dropout_is_found_out_at_a_drawn_point_too() -> None:
    module = from_torch(nn.Dropout(0.5), inputs={"x": real("N D")})
    assert module.stochastic
    passes(module, None)
    assert not from_torch(nn.Dropout(0.5).eval(), inputs={"x": real("N D")}).stochastic


def test_randomness_can_be_declared() -> None:
    silent = from_torch(F.dropout, arguments={"input": drawn(16)}, stochastic=False)
    fails(silent, {}, "repeatability", "forward is not repeatable")


def test_facts_are_handed_on() -> None:
    kinked = from_torch(F.relu, inputs={"x": real("N D")}, kinks={"x": (0.0,)})
    passes(kinked, None)

    class Shared(Function):
        @staticmethod
        def forward(_: Any, x: Any, y: Any) -> Any:
            return x + y

        @staticmethod
        def backward(_: Any, g: Any) -> Any:
            both = g.clone()
            return both, both

    both = {"x": drawn(2), "y": drawn(2)}
    report = passes(from_torch(Shared, arguments=both, waive={"purity": "nobody writes to them"}), {})
    assert Verdict.WAIVED in {check.verdict for check in results(report)}


def test_it_can_be_registered() -> None:
    made = gradcheck.register(from_torch(torch.tanh, inputs={"x": real("N")}))
    passes(made, None)
    globals().pop("__gradcheck_registered__", None)


@pytest.mark.parametrize(
    ("target", "options", "error", "message"),
    [
        (torch.sin, {}, ConfigurationError, "given neither arguments nor inputs; expected arguments"),
        (torch.sin, {"inputs": {}, "arguments": {}}, ConfigurationError, "given both arguments and inputs; expected"),
        (nn.Linear(2, 2), {"inputs": {"x": real("N 2")}, "parameters": {"wieght": real("2 2")}}, DeclarationError,
         "Linear has no parameter 'wieght'; it has weight, bias; did you mean 'weight'"),
        (torch.sin, {"inputs": {"x[": real("N")}}, PointError, r"the leaf 'x\[' has no name that is a path"),
        (lambda x: x, {"inputs": {"x": real(), "x[0]": real()}}, PointError, r"'x\[0\]' lies inside of another leaf"),
        (lambda x: x, {"inputs": {"y": real(), "z": real()}}, PointError, "does not take the given arguments"),
    ],
)  # fmt: skip
def test_wrong_options_say_what_is_wrong(target: Any, options: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        from_torch(target, **options)


def test_what_is_not_verified_in_double_precision_is_noted() -> None:
    class Kernel(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            if x.dtype != torch.float32:
                raise TypeError("float32 only")
            ctx.save_for_backward(x)
            return torch.tanh(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * (1 - torch.tanh(ctx.saved_tensors[0]) ** 2)

    report = gradcheck.check(Kernel, {"x": drawn(4).float()}, threshold=1e-4)
    assert report.verdict is Verdict.PASS
    assert str(report).count("verified in its own precision (float32), since it does not compute in float64") == 1
    assert "own precision" not in str(passes(torch.tanh, {"x": drawn(4).float()}))


def test_tensors_that_are_passed_on_are_noted() -> None:
    point = {"x": drawn(4).requires_grad_(), "target": drawn(4)}
    report = gradcheck.check(lambda x, target: (x - target) ** 2, point, checks=["gradient"])
    assert "not verified, since others require a gradient: target" in str(report)


def test_a_reference_tells_a_consistent_backward_of_another_function() -> None:
    module = from_torch(lambda x: x**3, arguments={"x": drawn(4)}, reference=lambda x: x**2)
    fails(module, {}, "values")
