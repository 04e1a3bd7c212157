"""Training: the three steps, and that they go downhill."""

from itertools import islice

import numpy as np
import pytest

import gradcheck
from gradcheck.modules import Dropout, EuclideanLoss, Linear, LSTMCell, RadialBasisNetwork, Sequential, Tanh
from gradcheck.modules.training import SGD, Scaling, Trainer, initial_parameters
from gradcheck.values.aliases import Array

NETWORK = Sequential({"dense": Linear(), "squash": Tanh(), "out": Linear(), "loss": EuclideanLoss("mean")})
SIZES = {"N": 1, "D": 2, "M": 8, "M2": 1}


def data() -> dict[str, Array]:
    x = np.random.default_rng(0).uniform(-2, 2, size=(120, 2))
    return {"x": x, "loss.y": np.sin(x[:, :1]) * x[:, 1:]}


def test_training_goes_downhill_and_repeats_itself() -> None:
    start = initial_parameters(NETWORK, SIZES, seed=0)
    before = {name: value.copy() for name, value in start.items()}
    runs = [
        [epoch.loss for epoch in islice(Trainer(NETWORK, SGD(0.05), batch=16, seed=3).epochs(start, data()), 40)]
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert runs[0][-1] < 0.1 * runs[0][0]
    for name, value in start.items():
        np.testing.assert_array_equal(value, before[name])


def test_an_update_is_the_formula() -> None:
    w, g, v = (np.array([[value]]) for value in (2.0, 3.0, 10.0))
    parameters, velocity = SGD(rate=0.1, momentum=0.5, decay=0.01).updated({"w": w}, {"w": v}, {"w": g})
    assert velocity["w"].item() == pytest.approx(0.5 * 10 + 3 + 0.01 * 2)
    assert parameters["w"].item() == pytest.approx(2 - 0.1 * 8.02)
    assert SGD(decay=1.0).updated({"b": np.ones(1)}, {}, {"b": np.zeros(1)})[0]["b"].item() == 1.0


def test_a_stochastic_module_is_trained_with_its_stream() -> None:
    network = Sequential({"drop": Dropout(), "dense": Linear(), "loss": EuclideanLoss("mean")})
    start = initial_parameters(network, {"D": 2, "M": 1}, seed=0)
    epoch = next(Trainer(network).epochs(start, data()))
    assert epoch.number == 1
    assert np.isfinite(epoch.loss)


def test_initial_parameters_have_the_scale_of_their_fan() -> None:
    drawn = initial_parameters(Linear(), {"D": 300, "M": 500}, seed=0, given={"bias": 0.5})
    assert drawn["weight"].std() == pytest.approx((2 / 800) ** 0.5, rel=0.02)
    assert np.all(drawn["bias"] == 0.5)
    with pytest.raises(gradcheck.ConfigurationError, match="Linear: weight 'D M' needs the sizes of M; given are D"):
        initial_parameters(Linear(), {"D": 3}, seed=0)


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"momentum": 1.0}, {"decay": -1.0}, {"rate": float("nan")}])
def test_an_optimiser_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(gradcheck.ConfigurationError, match="expected rate > 0, momentum from 0 to below 1, decay >= 0"):
        SGD(**wrong)


def test_data_and_parameters_must_be_those_of_the_module() -> None:
    start = initial_parameters(NETWORK, SIZES, seed=0)
    with pytest.raises(gradcheck.ConfigurationError, match=r"data are x; Sequential.* takes x, loss.y"):
        next(Trainer(NETWORK).epochs(start, {"x": np.ones((1, 2))}))
    with pytest.raises(gradcheck.ConfigurationError, match=r"parameters are ; Sequential.* takes dense.weight"):
        next(Trainer(NETWORK).epochs({}, data()))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"x": np.ones((3, 2)), "loss.y": np.ones((2, 1))},
            r"data have {'x': 3, 'loss.y': 2} samples; expected",
        ),
        ({"x": np.ones((0, 2)), "loss.y": np.ones((0, 1))}, r"data have {'x': 0, 'loss.y': 0} samples"),
    ],
)
def test_data_must_have_samples_as_many_of_each(data: dict[str, Array], message: str) -> None:
    with pytest.raises(gradcheck.ConfigurationError, match=message):
        next(Trainer(NETWORK).epochs(initial_parameters(NETWORK, SIZES, seed=0), data))


def test_targets_that_would_be_broadcast_are_refused() -> None:
    start = initial_parameters(NETWORK, {**SIZES, "M2": 3}, seed=0)
    with pytest.raises(gradcheck.ModuleError, match=r"loss.y has shape \(3, 1\), declared 'N M2'"):
        next(Trainer(NETWORK).epochs(start, {"x": np.ones((3, 2)), "loss.y": np.ones((3, 1))}))


def test_only_a_single_loss_can_be_trained() -> None:
    with pytest.raises(
        gradcheck.ConfigurationError, match=r"has the outputs {'a': 'N M'}; a Trainer needs exactly one"
    ):
        Trainer(Linear())
    with pytest.raises(gradcheck.ConfigurationError, match="Trainer: batch is 0; expected a whole number >= 1"):
        Trainer(NETWORK, batch=0)


def test_gates_are_matrices_and_positive_parameters_stay_positive() -> None:
    gates = initial_parameters(LSTMCell(), {"D": 100, "M": 200}, seed=0)
    assert gates["weight"].std() == pytest.approx((2 / 300) ** 0.5, rel=0.05)
    assert np.all(gates["bias"] == 0)
    assert np.all(initial_parameters(RadialBasisNetwork(), {"D": 2, "J": 5}, seed=0)["beta"] > 0)
    with pytest.raises(gradcheck.ConfigurationError, match="Linear has no gian; its parameters are weight, bias"):
        initial_parameters(Linear(), {"D": 3, "M": 2}, seed=0, given={"gian": 1.0})


def test_inputs_are_scaled_as_those_of_the_training_data_are() -> None:
    scaling = Scaling.of(np.array([[0.0, 7.0], [4.0, 7.0]]))
    assert scaling.applied(np.array([[2.0, 8.0]])).tolist() == [[0.0, 1.0]]
    # The standard deviation of equal numbers is not always 0.
    assert Scaling.of(np.full((10, 1), 0.3)).applied(np.full((1, 1), 0.8)).item() == pytest.approx(0.5)
