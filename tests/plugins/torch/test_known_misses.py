"""Wrong gradients that torch's own checker passes: each is caught, by the right check and with its leaf named.

Where torch's checker, in the installed version, does catch one, the test says so.
"""

from collections.abc import Callable
from typing import Any

import pytest

import gradcheck
from gradcheck import Verdict, real
from gradcheck.values.declarations import Declaration
from tests.plugins.torch.affine import Gradients, affine, arguments
from tests.plugins.torch.misbehaving import Cube, Halving, Product, Rectifier, Remembering, Sharing, Shifting, Small
from tests.plugins.torch.verdicts import (
    failing_leaves,
    failures,
    from_torch,
    normal,
    notes,
    passing,
    torch,
    torch_passes,
)


def scaled_entry(gradients: Gradients) -> Gradients:
    x, weight, bias = gradients
    weight = weight.clone()
    weight[1, 2] *= 1.001
    return x, weight, bias


def reading_memory(g: Any) -> Any:
    """What a kernel sees that takes the memory of a tensor for its entries in order; NaN behind its end."""
    memory = torch.empty(0, dtype=g.dtype).set_(g.untyped_storage())
    seen = torch.full((g.numel(),), torch.nan, dtype=g.dtype)
    count = min(g.numel(), memory.numel())
    seen[:count] = memory[:count]
    return seen.reshape(g.shape)


def test_the_right_one_passes_both() -> None:
    assert torch_passes(affine().apply, arguments())
    passing(affine(), arguments())


def test_parameters_are_perturbed_too() -> None:
    seven_times = affine(spoil=lambda gradients: (gradients[0], 7 * gradients[1], gradients[2]))

    class Layer(torch.nn.Module):  # type: ignore[misc]  # torch is loaded by name
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(normal(3, 5))
            self.bias = torch.nn.Parameter(normal(5))

        def forward(self, x: Any) -> Any:
            return seven_times.apply(x, self.weight, self.bias)

    assert torch_passes(Layer(), {"x": normal(4, 3)})
    assert failing_leaves(Layer(), {"x": normal(4, 3)}) == {"weight"}


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(scaled_entry, id="one entry by 1.001"),
        pytest.param(lambda g: (g[0], g[1] * 1.0009, g[2]), id="all of them by 1.0009"),
    ],
)
def test_a_weight_gradient_that_is_slightly_off(spoil: Callable[[Gradients], Gradients]) -> None:
    function = affine(spoil=spoil)
    assert torch_passes(function.apply, arguments())
    assert torch_passes(function.apply, arguments(), fast_mode=True)
    (found,) = failures(function, arguments())["gradient"]
    assert found.leaf == "weight"
    if spoil is scaled_entry:
        assert found.evidence is not None
        assert found.evidence.worst[0].leaf_index == (1, 2)


@pytest.mark.parametrize(
    ("distort", "slow", "fast"),
    [
        pytest.param(torch.ones_like, False, False, id="ignored"),  # both of torch's modes see this one
        pytest.param(torch.sign, True, False, id="its sign"),
        pytest.param(lambda g: (g != 0).to(g), True, False, id="whether it is 0"),
        pytest.param(torch.abs, True, True, id="its absolute value"),
        pytest.param(torch.relu, True, True, id="its positive part"),
        pytest.param(lambda g: g.clamp(-1, 1), True, True, id="clipped at 1"),
        pytest.param(lambda g: g.clamp(-3, 3), True, True, id="clipped at 3"),
        pytest.param(lambda g: g / g.norm().clamp_min(1e-300), True, True, id="normalised"),
        pytest.param(lambda g: g * g, True, False, id="squared"),
    ],
)
def test_a_cotangent_that_is_distorted(distort: Callable[[Any], Any], slow: bool, fast: bool) -> None:
    function = affine(distort)
    assert torch_passes(function.apply, arguments()) is slow
    assert torch_passes(function.apply, arguments(), fast_mode=True) is fast
    found = failures(function, arguments())
    assert "linearity" in found
    assert "not linear in the cotangent" in found["linearity"][0].message


def rounded(dtype: Any) -> Callable[[Gradients], Gradients]:
    return lambda gradients: tuple(g.to(dtype).double() for g in gradients)


def test_a_backward_in_half_precision() -> None:
    function = affine(spoil=rounded(torch.float16))
    assert torch_passes(function.apply, arguments())
    assert torch_passes(function.apply, arguments(), fast_mode=True)
    found = failures(function, arguments())["gradient"]
    assert {"x", "weight"} <= {check.leaf for check in found}
    assert all("low precision" in [diagnosis.cause for diagnosis in check.diagnoses] for check in found)


def test_a_backward_in_single_precision_is_exact_enough_for_every_threshold_and_is_told() -> None:
    function = affine(spoil=rounded(torch.float32))
    assert torch_passes(function.apply, arguments())
    told = notes(passing(function, arguments(), threshold=1e-7))
    assert {"the gradient of x is computed in float32", "the gradient of weight is computed in float32"} <= {*told}


def test_a_backward_for_contiguous_cotangents_only() -> None:
    function = affine(reading_memory)
    assert torch_passes(function.apply, arguments())
    (found,) = failures(function, arguments())["layouts"]
    assert "a cotangent with" in found.message


def test_a_cotangent_that_is_halved_in_place() -> None:
    assert torch_passes(Halving.apply, {"x": normal(4)})
    assert not torch_passes(Halving.apply, {"x": normal(4)}, fast_mode=True)
    (found,) = failures(Halving, {"x": normal(4)})["purity"]
    assert "backward writes to its cotangent" in found.message


def test_two_leaves_that_are_given_the_same_memory() -> None:
    point = {"x": normal(4), "y": normal(4, seed=1)}
    assert torch_passes(Sharing.apply, point)
    assert torch_passes(Sharing.apply, point, fast_mode=True)
    (found,) = failures(Sharing, point)["purity"]
    assert "x and y" in found.message


def test_a_gradient_of_another_shape() -> None:
    function = affine(spoil=lambda gradients: (gradients[0], gradients[1], gradients[2][None]))
    assert torch_passes(function.apply, arguments())  # the engine sums it to the shape of the leaf
    (found,) = failures(function, arguments())["dimensions"]
    assert "bias" in found.message
    assert "(1, 5)" in found.message


def test_a_forward_that_remembers_only_the_last_call() -> None:
    point = {"x": normal(4, 3), "weight": normal(3, 5)}
    assert torch_passes(Remembering.apply, point)
    assert torch_passes(Remembering.apply, point, fast_mode=True)
    (found,) = failures(Remembering, point)["state"]
    assert "weight" in found.message


def test_a_forward_that_writes_to_its_input() -> None:
    given = normal(4)
    before = given.clone()
    assert not torch_passes(Shifting.apply, {"x": given})  # torch calls it a mismatch of Jacobians
    (found,) = failures(Shifting, {"x": given})["purity"]
    assert "forward writes to its leaf x" in found.message
    assert torch.equal(given, before)


def test_a_gradient_that_is_small_and_doubled() -> None:
    assert torch_passes(Small.apply, {"x": normal(5)})
    assert torch_passes(Small.apply, {"x": normal(5)}, fast_mode=True)
    (found,) = failures(Small, {"x": normal(5)})["gradient"]
    assert found.leaf == "x"
    assert "constant factor" in [diagnosis.cause for diagnosis in found.diagnoses]


# From such arguments nobody can tell. A module whose inputs are declared is looked at elsewhere too.
@pytest.mark.parametrize(
    ("function", "point", "declared", "note"),
    [
        pytest.param(
            Rectifier, {"x": -normal(6).abs() - 0.1}, {"x": real("N")}, "x has no influence here", id="inactive branch"
        ),
        pytest.param(
            Product,
            {"x": normal(4, 3), "weight": torch.eye(3, dtype=torch.float64)},
            {"x": real("N D"), "weight": real("D D")},
            "weight is the identity",
            id="identity",
        ),
    ],
)
def test_a_point_that_cannot_tell(
    function: Any, point: dict[str, Any], declared: dict[str, Declaration], note: str
) -> None:
    assert torch_passes(function.apply, point)
    assert any(f"this point cannot tell: {note}" in told for told in notes(passing(function, point)))
    module = from_torch(function, inputs=declared)
    arrays = {name: value.numpy() for name, value in point.items()}
    assert failing_leaves(module, arrays) == {"x"}


def test_the_right_gradient_of_another_function() -> None:
    point = {"x": normal(5)}
    assert torch_passes(Cube.apply, point)
    passing(Cube, point)  # without a reference nobody can tell
    report = gradcheck.check_equivalent(Cube, torch.square, point, names={"x": "input"})
    assert report.verdict is Verdict.FAIL
    assert report.verification.failures[0][1].check == "values"
