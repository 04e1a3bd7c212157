"""Correct operations that torch's own checker rejects: none is rejected, and a wrong one beside each is."""

from typing import Any

import pytest

import gradcheck
from gradcheck import Verdict
from tests.plugins.torch.affine import affine, arguments
from tests.plugins.torch.verdicts import Function, failing_leaves, from_torch, normal, passing, torch, torch_passes

AT_KINKS = {"x": torch.tensor([-1.0, 0.0, 2.0, 0.0], dtype=torch.float64)}


def rectifier(slope: float) -> Any:
    """max(0, x), with this slope at 0."""

    class Rectifier(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.relu(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * torch.heaviside(x, torch.full((), slope, dtype=x.dtype))

    return Rectifier


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
def test_a_subgradient_is_a_right_answer_at_a_kink(slope: float) -> None:
    assert not torch_passes(rectifier(slope).apply, AT_KINKS)
    report = passing(rectifier(slope), AT_KINKS)
    evidence = report.verification.cases[0].checks[1].evidence
    assert evidence is not None
    assert evidence.kinks == 2


@pytest.mark.parametrize("slope", [-0.1, 1.1, 2.0])
def test_what_is_no_subgradient_is_wrong_at_a_kink(slope: float) -> None:
    assert failing_leaves(rectifier(slope), AT_KINKS) == {"x"}


@pytest.mark.parametrize("beside", [1e-9, -1e-9, 1e-4])
def test_a_point_beside_a_kink_has_a_derivative(beside: float) -> None:
    point = {"x": torch.tensor([beside, 1.0], dtype=torch.float64)}
    assert torch_passes(rectifier(0.0).apply, point) is (abs(beside) > 1e-6)
    passing(rectifier(0.0), point)


def test_a_tie_of_a_pool_goes_to_one_of_the_entries() -> None:
    def pool(x: Any) -> Any:
        return torch.nn.functional.max_pool1d(x, 2)

    ties = {"x": torch.tensor([[1.0, 1.0, 3.0, 2.0]], dtype=torch.float64)}
    assert not torch_passes(pool, ties)
    passing(pool, ties)


def test_a_tie_of_a_pool_does_not_go_to_both_entries() -> None:
    class Greedy(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            a = x.amax(dim=1, keepdim=True)
            ctx.save_for_backward(x == a)
            return a

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.saved_tensors[0]

    assert failing_leaves(Greedy, {"x": torch.tensor([[1.0, 1.0], [3.0, 2.0]], dtype=torch.float64)}) == {"x"}


def cast(dtype: Any) -> dict[str, Any]:
    return {name: value.to(dtype) for name, value in arguments().items()}


def native(function: Any, dtype: Any, threshold: float) -> gradcheck.Report:
    return gradcheck.check(from_torch(function, arguments=cast(dtype), dtype="native"), {}, threshold=threshold)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_a_narrow_dtype_is_judged_by_its_own_noise(dtype: Any) -> None:
    with pytest.warns(UserWarning, match="not a double precision"):
        assert not torch_passes(affine().apply, cast(dtype))
    verdict = native(affine(), dtype, 1e-4).verdict
    assert verdict in ((Verdict.PASS,) if dtype is torch.float32 else (Verdict.PASS, Verdict.INCONCLUSIVE))


@pytest.mark.parametrize(
    ("dtype", "factor"), [(torch.float32, 1.001), (torch.bfloat16, 3.0), (torch.float16, 1.1)], ids=str
)
def test_a_wrong_gradient_in_a_narrow_dtype_is_seen_through_the_noise(dtype: Any, factor: float) -> None:
    function = affine(spoil=lambda gradients: (gradients[0], factor * gradients[1], gradients[2]))
    failures = native(function, dtype, 1e-4).verification.failures
    assert "weight" in {check.leaf for _, check in failures if check.verdict is Verdict.FAIL}


def test_single_precision_is_verified_as_a_copy_in_double_by_default() -> None:
    report = passing(affine(), cast(torch.float32))
    evidence = report.verification.cases[0].checks[1].evidence
    assert evidence is not None
    assert evidence.dtype == "float64"


SIZES = [
    pytest.param(torch.sin, [1e10, 2e10 + 1.0], id="sin at 1e10"),
    pytest.param(torch.log, [1e-7, 3e-7], id="log at 1e-7"),
    pytest.param(lambda x: 1e9 + 1e-3 * x, [1.0, -2.0], id="1e9 + 1e-3 x"),
]


@pytest.mark.parametrize(("function", "x"), SIZES)
def test_numbers_of_other_sizes_than_1(function: Any, x: list[float]) -> None:
    point = {"x": torch.tensor(x, dtype=torch.float64)}
    assert not torch_passes(function, point)
    verdict = gradcheck.check(lambda x: function(x), point).verdict
    # Between neighbouring numbers at 1e10 a sine moves by 1e-6: beside that its slope is not seen at every threshold.
    allowed = (Verdict.PASS, Verdict.INCONCLUSIVE) if function is torch.sin else (Verdict.PASS,)
    assert verdict in allowed


@pytest.mark.parametrize(("function", "x"), SIZES)
def test_a_wrong_gradient_at_numbers_of_other_sizes(function: Any, x: list[float]) -> None:
    class Scaled(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return function(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            given = ctx.saved_tensors[0].detach().requires_grad_()
            with torch.enable_grad():
                (found,) = torch.autograd.grad(function(given), given, g)
            return 1.1 * found

    assert failing_leaves(Scaled, {"x": torch.tensor(x, dtype=torch.float64)}) == {"x"}


def test_dropout_draws_the_same_numbers_every_time_and_leaves_the_generator_alone() -> None:
    dropout, point = torch.nn.Dropout(0.5), {"x": normal(4, 3)}
    assert not torch_passes(dropout, point)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    passing(dropout, {"input": point["x"]})
    assert torch.equal(torch.rand(3), expected)


def test_batch_normalisation_keeps_its_statistics() -> None:
    norm, x = torch.nn.BatchNorm1d(3).double(), normal(5, 3)
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    passing(norm, {"input": x})
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())
    assert torch_passes(norm, {"input": x})
    assert not torch.equal(norm.running_mean, before["running_mean"])  # torch's checker moves them


@pytest.mark.parametrize("function", [torch.abs, torch.nn.functional.l1_loss], ids=["abs", "l1_loss"])
def test_a_second_derivative_that_is_zero(function: Any) -> None:
    point = {"input": normal(4), "target": normal(4, seed=1)} if function is not torch.abs else {"input": normal(4)}
    module = from_torch(function, arguments=point, double_backward=True)
    report = gradcheck.check(module, {}, checks=["second_order"])
    assert report.verdict is Verdict.PASS, str(report)
