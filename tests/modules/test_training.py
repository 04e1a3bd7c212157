"""Training: the three steps, and that they go downhill."""

from itertools import islice

import numpy as np
import pytest

import gradcheck
from gradcheck.modules import Dropout, EuclideanLoss, Linear, Sequential, Tanh
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


def test_inputs_are_scaled_as_those_of_the_training_data_are() -> None:
    scaling = Scaling.of(np.array([[0.0, 7.0], [4.0, 7.0]]))
    assert scaling.applied(np.array([[2.0, 8.0]])).tolist() == [[0.0, 1.0]]
