"""nn.Module objects: every parameter and every input is a leaf, and the object is left as it was, bit for bit."""

import copy
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import TargetError, Verdict
from tests.plugins.torch.judging import (
    Function,
    NNModule,
    answer,
    drawn,
    fails,
    from_torch,
    leaves_of,
    passes,
    results,
    torch,
)

nn: Any = torch.nn
QKV = ("query", "key", "value")
parametrizations: Any = torch.nn.utils.parametrizations
F32: Any = torch.float32


class Twice(Function):
    """x → 2 x with whatever gradient is given to it."""

    @staticmethod
    def forward(ctx: Any, x: Any, factor: float) -> Any:
        ctx.factor = factor
        return 2 * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return ctx.factor * g, None


def test_parameters_and_inputs_are_leaves() -> None:
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2, bias=False))
    assert leaves_of(passes(model, {"x": drawn(3, 4, dtype=F32)})) == ["x", "0.weight", "0.bias", "2.weight"]


def test_a_wrong_gradient_of_a_parameter_is_found_though_only_inputs_are_given() -> None:
    class Scaling(NNModule):
        def __init__(self, factor: float) -> None:
            super().__init__()
            self.scale = nn.Parameter(drawn(3))
            self.factor = factor

        def forward(self, x: Any) -> Any:
            return x * Twice.apply(self.scale, self.factor)

    passes(Scaling(2.0), {"x": drawn(2, 3)})
    fails(Scaling(2.1), {"x": drawn(2, 3)}, "gradient", "scale[")


def test_the_object_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(0.3), nn.Tanh())
    x = drawn(6, 4, dtype=F32).requires_grad_()
    model(x).sum().backward()
    model[0].bias.requires_grad_(False)
    kept, grads = copy.deepcopy(model.state_dict()), [copy.deepcopy(p.grad) for p in model.parameters()]
    x_grad, generator = x.grad.clone(), torch.get_rng_state()
    report = passes(model, {"input": x})
    assert leaves_of(report) == ["input", "0.weight", "1.weight", "1.bias"]  # what is frozen has no gradient
    assert kept.keys() == model.state_dict().keys()
    assert all(torch.equal(kept[name], value) for name, value in model.state_dict().items())
    assert all(torch.equal(one, p.grad) for one, p in zip(grads, model.parameters(), strict=True))
    assert torch.equal(x_grad, x.grad)
    assert torch.equal(generator, torch.get_rng_state())
    assert [p.requires_grad for p in model.parameters()] == [True, False, True, True]
    assert {p.dtype for p in model.parameters()} == {F32}
    assert model.training


def test_every_forward_begins_with_the_same_statistics() -> None:
    norm = nn.BatchNorm1d(3, momentum=0.5).double()
    module = from_torch(norm, arguments={"x": drawn(4, 3)})
    first = answer(module)[1]["x"]
    for _ in range(3):
        worker = module.operation.worker
        assert worker is not None
        answer(module, x=module.defaults["x"] + 1)
        assert int(worker.module.num_batches_tracked) == 1
    assert np.array_equal(first, answer(module)[1]["x"])
    evaluated = nn.BatchNorm1d(3).double().eval()
    passes(evaluated, {"x": drawn(4, 3)})
    assert not evaluated.training


def test_backward_reads_the_statistics_of_its_own_forward() -> None:
    class Decaying(NNModule):
        mean: Any

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.ones(3))

        def forward(self, x: Any) -> Any:
            self.mean.mul_(0.5).add_(x.detach())
            return x * self.mean.clone().detach() ** 0 * 2

    passes(Decaying(), {"x": drawn(3, dtype=F32)})


def test_a_module_that_remembers_its_last_call_is_found() -> None:
    class Counting(NNModule):
        calls = 0

        def forward(self, x: Any) -> Any:
            self.calls += 1
            return x * self.calls

    counting = Counting()
    fails(counting, {"x": drawn(3)}, "repeatability", "forward is not repeatable")
    assert counting.calls == 0


def test_tied_parameters_are_one_leaf() -> None:
    class Tied(NNModule):
        def __init__(self) -> None:
            super().__init__()
            self.encode, self.decode = nn.Linear(3, 3), nn.Linear(3, 3)
            self.decode.weight = self.encode.weight

        def forward(self, x: Any) -> Any:
            return self.decode(torch.tanh(self.encode(x)))

    report = passes(Tied(), {"x": drawn(2, 3, dtype=F32)})
    assert leaves_of(report) == ["x", "encode.weight", "encode.bias", "decode.bias"]


def test_a_parameter_with_the_name_of_an_argument_is_told_apart() -> None:
    class Weighted(NNModule):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(drawn(3))

        def forward(self, x: Any, weight: Any) -> Any:
            return x * weight * self.weight

    arguments = {"x": drawn(3), "weight": drawn(3, seed=1)}
    assert leaves_of(passes(Weighted(), arguments)) == ["x", "weight", "self.weight"]


@pytest.mark.parametrize(
    ("make", "shapes"),
    [
        pytest.param(lambda: nn.LSTM(3, 2), {"input": (2, 1, 3), "hx": ((1, 1, 2), (1, 1, 2))}, id="LSTM"),
        pytest.param(lambda: nn.GRU(3, 2, bidirectional=True), {"input": (2, 1, 3)}, id="GRU"),
        pytest.param(lambda: nn.MultiheadAttention(4, 2, 0.1), dict.fromkeys(QKV, (2, 1, 4)), id="attention"),
        pytest.param(lambda: nn.Conv2d(1, 2, 2), {"x": (1, 1, 3, 3)}, id="Conv2d"),
        pytest.param(lambda: nn.ReLU(inplace=True), {"x": (4,)}, id="in place"),
        pytest.param(lambda: nn.GaussianNLLLoss(), {"input": (3,), "target": (3,), "var": ()}, id="a loss"),
        pytest.param(lambda: parametrizations.spectral_norm(nn.Linear(3, 2)).eval(), {"x": (2, 3)}, id="spectral_norm"),
        pytest.param(lambda: parametrizations.weight_norm(nn.Linear(3, 2)), {"x": (2, 3)}, id="weight_norm"),
    ],
)  # fmt: skip
def test_modules_of_torch_are_right(make: Any, shapes: Any) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = make()
    passes(model, {name: at(shape) for name, shape in shapes.items()})


def at(shape: Any) -> Any:
    """Numbers of a shape, or of several."""
    return tuple(map(at, shape)) if shape and isinstance(shape[0], tuple) else drawn(*shape).abs() + 0.5


def test_modules_with_indices_are_right() -> None:
    passes(nn.Embedding(4, 2), {"input": torch.tensor([0, 2, 2])})
    passes(nn.CrossEntropyLoss(), {"input": drawn(3, 4), "target": torch.tensor([0, 3, 1])})


def test_a_forward_stands_for_its_module() -> None:
    norm = nn.BatchNorm1d(3)
    assert leaves_of(passes(norm.forward, {"x": drawn(4, 3)})) == ["x", "weight", "bias"]
    assert int(norm.num_batches_tracked) == 0


def test_a_sparse_gradient_is_made_dense() -> None:
    passes(nn.Embedding(4, 2, sparse=True), {"input": torch.tensor([0, 2, 2])})


def test_what_works_in_place_on_its_input_keeps_its_parameters() -> None:
    class Checking(NNModule):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(drawn(3))

        def forward(self, x: Any) -> Any:
            assert isinstance(self.weight, nn.Parameter)
            return x.mul_(self.weight)

    passes(Checking(), {"x": drawn(2, 3)}, checks=["dimensions", "gradient", "purity"])


def test_parameters_keep_the_layout_that_they_have() -> None:
    seen: set[Any] = set()

    class Reading(NNModule):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(drawn(3, 2).T)

        def forward(self, x: Any) -> Any:
            seen.add((self.weight.stride(), type(self.weight).__name__))
            return x @ self.weight

    passes(Reading(), {"x": drawn(4, 2)})
    assert {stride for stride, _ in seen} == {(1, 2)}
    assert "Parameter" in {name for _, name in seen}


def test_modules_cannot_be_verified_before_they_are_made() -> None:
    with pytest.raises(TargetError, match="LazyLinear has parameters without a shape: call it once"):
        gradcheck.check(nn.LazyLinear(3), {"x": drawn(2, 4)})
    held = nn.Linear(2, 2)
    held.generator = (number for number in range(3))
    with pytest.raises(TargetError, match=r"Linear cannot be copied, and what is verified is a copy "):
        gradcheck.check(held, {"x": drawn(2, 2)})


def test_what_cannot_be_pickled_is_only_mentioned() -> None:
    report = passes(nn.Linear(3, 2), {"x": drawn(2, 3)}, checks=["serialisation"])
    (check,) = results(report)
    assert check.verdict is Verdict.PASS
    assert "torch can neither copy nor pickle the graph" in check.message
