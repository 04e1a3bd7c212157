"""Objects with state, as people write them."""

import pickle
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict, labels, real


class Affine:
    """Dicts of parameters and gradients; ``W`` is also an attribute, as in many courses."""

    def __init__(self, D: int, M: int) -> None:
        self.W = np.full((D, M), 0.1)
        self.params = {"W": self.W, "b": np.zeros(M)}
        self.grads: dict[str, Any] = {}

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.W + self.params["b"]

    def backward(self, da: Any) -> Any:
        self.grads["W"] = self.x.T @ da
        self.grads["b"] = da.sum(axis=0)
        return da @ self.W.T


class Attributes:
    """Parameters and gradients in attributes, one of them a plain number."""

    def __init__(self) -> None:
        self.w = np.array([0.5, -1.0, 2.0])
        self.scale = 3.0

    def forward(self, x: Any) -> Any:
        self.x = x
        return self.scale * x * self.w

    def backward(self, da: Any) -> Any:
        self.dw = (da * self.scale * self.x).sum(axis=0)
        self.dscale = np.sum(da * self.x * self.w)
        return da * self.scale * self.w


class ReturnsAll:
    """Backward returns everything, and the gradients of parameters are called dW."""

    def __init__(self, D: int, M: int = 2) -> None:
        self.params = {"W": np.ones((D, M))}

    def forward(self, x: Any, y: Any) -> Any:
        self.x = x
        return x @ self.params["W"] + y

    def backward(self, da: Any) -> Any:
        return da @ self.params["W"].T, da.copy(), self.x.T @ da


class NamedD(Affine):
    """Gradients under the keys dW and db."""

    def backward(self, da: Any) -> Any:
        self.grads["dW"], self.grads["db"] = self.x.T @ da, da.sum(axis=0)
        return da @ self.W.T


class Accumulates(Affine):
    """Adds to its gradients, and forgets its cache after one use."""

    def __init__(self, D: int, M: int) -> None:
        super().__init__(D, M)
        self.grads = {"W": np.zeros((D, M)), "b": np.zeros(M)}

    def backward(self, da: Any) -> Any:
        self.grads["W"] += self.x.T @ da
        self.grads["b"] += da.sum(axis=0)
        del self.x
        return da @ self.W.T


class RunningMean(Affine):
    """Keeps a statistic that every forward changes."""

    def forward(self, x: Any) -> Any:
        self.params["b"] += 0.0
        self.seen = getattr(self, "seen", 0) + len(x)
        return super().forward(x) * (1.0 if self.seen == len(x) else 2.0)


class NoParameters:
    def forward(self, x: Any, target: Any) -> Any:
        self.error = x[np.arange(len(target)), target] - 1.0
        self.target, self.shape = target, x.shape
        return 0.5 * (self.error**2).sum()

    def backward(self, dloss: Any) -> Any:
        dx = np.zeros(self.shape)
        dx[np.arange(len(self.target)), self.target] = dloss * self.error
        return dx


CORRECT = {
    "dicts": gradcheck.from_object(Affine, inputs={"x": real("N D")}, outputs={"a": "N M"}),
    "attributes": gradcheck.from_object(
        Attributes, inputs={"x": real("N 3")}, gradients={"w": "dw", "scale": "dscale"}
    ),
    "keys with a d": gradcheck.from_object(NamedD, inputs={"x": real("N D")}, outputs={"a": "N M"}),
    "everything returned": gradcheck.from_object(
        ReturnsAll, inputs={"x": real("N D"), "y": real("N 2")}, returns=("x", "y", "W")
    ),
    "accumulates": gradcheck.from_object(Accumulates, inputs={"x": real("N D")}, outputs={"a": "N M"}),
    "running statistics": gradcheck.from_object(
        RunningMean,
        inputs={"x": real("N D")},
        outputs={"a": "N M"},
        waive={"state": "the output depends on all before"},
    ),
    "no parameters": gradcheck.from_object(NoParameters, inputs={"x": real("N K"), "target": labels("N", classes="K")}),
    "fixed sizes": gradcheck.from_object(lambda: Affine(4, 3), inputs={"x": real("N 4")}),
}


@pytest.mark.parametrize("name", CORRECT)
def test_correct_objects_pass_in_every_leaf(name: str) -> None:
    assert gradcheck.check(CORRECT[name], threshold=1e-7).verdict is Verdict.PASS


def test_parameters_are_discovered_and_perturbed() -> None:
    report = gradcheck.check(CORRECT["dicts"])
    leaves = {
        (c.evidence.leaf, c.evidence.role) for case in report.verification.cases for c in case.checks if c.evidence
    }
    assert leaves == {("x", "input"), ("W", "parameter"), ("b", "parameter")}


def test_a_wrong_gradient_of_a_discovered_parameter_is_caught_though_it_starts_at_zero() -> None:
    class Wrong(Affine):
        def backward(self, da: Any) -> Any:
            dx = super().backward(da)
            self.grads["b"] = da.mean(axis=0)
            return dx

    report = gradcheck.check(gradcheck.from_object(Wrong, inputs={"x": real("N D")}, outputs={"a": "N M"}))
    assert {check.leaf for _, check in report.verification.failures} == {"b"}


def test_a_gradient_that_is_never_filled_is_missing() -> None:
    class Forgets(Affine):
        def backward(self, da: Any) -> Any:
            self.grads["W"] = self.x.T @ da
            return da @ self.W.T

    report = gradcheck.check(gradcheck.from_object(Forgets, inputs={"x": real("N D")}, outputs={"a": "N M"}))
    assert "backward returned no gradient for 'b', only for x, W" in str(report)


def test_at_given_arrays_the_parameters_are_those_of_the_object_or_the_given_ones() -> None:
    affine = gradcheck.from_object(lambda: Affine(3, 2), inputs={"x": real("N 3")})
    x = np.arange(6.0).reshape(2, 3)
    assert gradcheck.check(affine, {"x": x}).verdict is Verdict.PASS
    assert gradcheck.check(affine, {"x": x, "W": np.ones((3, 2))}).verdict is Verdict.PASS
    with pytest.raises(gradcheck.PointError, match=r"Affine|object"):
        gradcheck.check(affine, {"x": x, "W": np.ones((2, 2))})


def test_the_object_is_left_exactly_as_it_was_found() -> None:
    affine = Affine(3, 2)
    before, state = pickle.dumps(affine), str(np.random.get_state())
    gradcheck.check(gradcheck.from_object(lambda: affine, inputs={"x": real("N 3")}))
    assert pickle.dumps(affine) == before
    assert str(np.random.get_state()) == state


def test_arrays_of_which_nobody_says_what_they_are_are_refused() -> None:
    module = gradcheck.from_object(Attributes, inputs={"x": real("N 3")})
    with pytest.raises(gradcheck.DeclarationError, match=r"Attributes keeps arrays in w .*gradients=\{'w': 'dw'\}"):
        gradcheck.check(module, {"x": np.ones((2, 3))})


def test_an_attribute_that_is_not_there_is_refused() -> None:
    module = gradcheck.from_object(Attributes, inputs={"x": real("N 3")}, gradients={"v": "dv"})
    with pytest.raises(gradcheck.DeclarationError, match=r"Attributes has no attribute v; it has w, scale"):
        gradcheck.check(module, {"x": np.ones((2, 3))})


def test_a_size_that_nothing_tells_is_asked_for() -> None:
    with pytest.raises(gradcheck.DeclarationError, match=r"Affine cannot be made: the size of M is told neither"):
        gradcheck.check(
            gradcheck.from_object(Affine, inputs={"x": real("N D")}, outputs={"a": "N M"}), {"x": np.ones((2, 3))}
        )


def test_a_constructor_that_raises_is_named() -> None:
    def make() -> Affine:
        raise RuntimeError("out of order")

    with pytest.raises(gradcheck.GradcheckError, match=r"make: making the object raised RuntimeError: out of order"):
        gradcheck.check(gradcheck.from_object(make, inputs={"x": real("N 3")}))


def test_too_few_returned_gradients_are_named() -> None:
    module = gradcheck.from_object(ReturnsAll, inputs={"x": real("N D"), "y": real("N 2")})
    report = gradcheck.check(module)
    assert "backward returned 3 values; expected one for each of x, y" in str(report)


def test_backward_may_return_a_dict_or_nothing() -> None:
    class Dict(NoParameters):
        def backward(self, dloss: Any) -> Any:
            return {"x": super().backward(dloss)}

    class Nothing(Affine):
        def backward(self, da: Any) -> None:
            super().backward(da)

    inputs = {"x": real("N K"), "target": labels("N", classes="K")}
    assert gradcheck.check(gradcheck.from_object(Dict, inputs=inputs)).verdict is Verdict.PASS
    report = gradcheck.check(
        gradcheck.from_object(Nothing, inputs={"x": real("N D")}, outputs={"a": "N M"}, returns=())
    )
    assert "backward returned no gradient for 'x', only for W, b" in str(report)


class Lists:
    def __init__(self) -> None:
        self.params: Any = [np.ones((3, 2)), np.zeros(2)]

    def forward(self, x: Any) -> Any:
        return x @ self.params[0] + self.params[1]

    def backward(self, da: Any) -> Any:
        return da @ self.params[0].T


class Nested:
    def __init__(self) -> None:
        self.layers = {"first": [Lists()]}


class Slots:
    __slots__ = ("weight",)

    def __init__(self) -> None:
        self.weight = np.ones(3)


class NestedDict:
    def __init__(self) -> None:
        self.params = {"layer1": {"W": np.ones(3)}}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Lists, r"Lists keeps arrays in params\[0\], params\[1\] but has no dicts params and grads"),
        (Nested, r"Nested keeps arrays in layers\['first'\]\[0\].params\[0\], layers"),
        (Slots, r"Slots keeps arrays in weight but has no dicts.*gradients=\{'weight': 'dweight'\}"),
        (NestedDict, r"NestedDict: params\['layer1'\] is a dict; expected an array"),
    ],
)
def test_parameters_are_never_silently_left_unverified(make: Any, message: str) -> None:
    with pytest.raises(gradcheck.DeclarationError, match=message):
        gradcheck.check(gradcheck.from_object(make, inputs={"x": real("N 3")}), {"x": np.ones((2, 3))})


class TwoOutputs:
    """Returns a tuple, and takes as many cotangents."""

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.sin(x), x.sum(axis=1)

    def backward(self, da: Any, dsum: Any) -> Any:
        return [da * np.cos(self.x) + dsum[:, None]][0]


class LossWithoutCotangent:
    """Like many losses in courses: backward() takes nothing; None is returned for the labels."""

    def forward(self, x: Any, y: Any) -> Any:
        self.x, self.y = x, y
        return 0.5 * ((x - y[:, None]) ** 2).sum()

    def backward(self) -> Any:
        return self.x - self.y[:, None], None


class ReturnsList(TwoOutputs):
    def forward(self, x: Any, y: Any) -> Any:  # type: ignore[override]  # two inputs
        return x + 2 * y

    def backward(self, da: Any) -> Any:  # type: ignore[override]  # one output
        return [da.copy(), 2 * da]


class PartlyParameters(Affine):
    """Not everything in params is a parameter: None and counters have no gradient."""

    def __init__(self, D: int, M: int) -> None:
        super().__init__(D, M)
        self.params.update({"mask": None, "steps": 3})  # type: ignore[dict-item]  # the point


@pytest.mark.parametrize(
    "module",
    [
        gradcheck.from_object(TwoOutputs, inputs={"x": real("N D")}, outputs={"a": "N D", "total": "N"}),
        gradcheck.from_object(
            LossWithoutCotangent, inputs={"x": real("N D"), "y": labels("N", classes=3)}, outputs={"loss": ""}
        ),
        gradcheck.from_object(ReturnsList, inputs={"x": real("N D"), "y": real("N D")}),
        gradcheck.from_object(PartlyParameters, inputs={"x": real("N D")}, outputs={"a": "N M"}),
    ],
    ids=lambda module: module.name,
)
def test_more_ways_to_write_it(module: gradcheck.Module) -> None:
    assert gradcheck.check(module, threshold=1e-7).verdict is Verdict.PASS


def test_a_tuple_of_outputs_needs_names() -> None:
    report = gradcheck.check(gradcheck.from_object(TwoOutputs, inputs={"x": real("N D")}))
    assert "TwoOutputs: forward returned a tuple of 2, but 0 outputs are declared: name them in order" in str(report)


def test_a_backward_without_cotangent_needs_a_single_number() -> None:
    class Vector(LossWithoutCotangent):
        def forward(self, x: Any, y: Any) -> Any:
            self.x, self.y = x, y
            return x - y[:, None]

    inputs = {"x": real("N D"), "y": labels("N", classes=3)}
    report = gradcheck.check(gradcheck.from_object(Vector, inputs=inputs))
    assert "Vector: backward takes no cotangent, which only a module with a single number as output can do" in str(
        report
    )


def test_random_initial_weights_are_the_same_every_time_and_the_global_generator_is_put_back() -> None:
    class Random(Affine):
        def __init__(self) -> None:
            super().__init__(3, 2)
            self.W[...] = np.random.randn(3, 2)

    module = gradcheck.from_object(Random, inputs={"x": real("N 3")})
    np.random.seed(7)
    before = np.random.get_state(legacy=False)["state"]["key"]
    first = gradcheck.check(module, {"x": np.ones((2, 3))})
    np.random.seed(8)
    assert gradcheck.check(module, {"x": np.ones((2, 3))}).verification == first.verification
    np.random.seed(7)
    gradcheck.check(module, {"x": np.ones((2, 3))})
    np.testing.assert_array_equal(np.random.get_state(legacy=False)["state"]["key"], before)


class Dropout:
    def __init__(self, p: float) -> None:
        self.p = p


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (Dropout, {"x": real("N D")}),
            r"Dropout takes p, which no input and no output names as a dimension.*lambda: Dropout",
        ),
        ((TwoOutputs(), {"x": real("N D")}), r"from_object was given TwoOutputs, an object; expected its class"),
        ((Affine, {"x": "N D"}), r"Affine: inputs is \{'x': 'N D'\}; expected declarations such as"),
        ((Affine, ["x"]), r"Affine: inputs is \['x'\]; expected declarations"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(arguments: Any, message: str) -> None:
    make, inputs = arguments
    with pytest.raises(gradcheck.DeclarationError, match=message):
        gradcheck.from_object(make, inputs=inputs)


def test_a_misspelt_parameter_is_refused() -> None:
    module = gradcheck.from_object(
        Affine, inputs={"x": real("N D")}, outputs={"a": "N M"}, parameters={"w": gradcheck.positive("D M")}
    )
    with pytest.raises(gradcheck.DeclarationError, match="Affine has no parameter w; it has W, b"):
        gradcheck.check(module)
