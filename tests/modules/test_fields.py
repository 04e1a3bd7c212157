"""Fields: hyper-parameters that make no sense are refused where the module is made."""

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.modules import (
    GELU,
    Attention,
    AvgPool2d,
    BatchNorm,
    Clip,
    Concatenate,
    Conv1d,
    Conv2d,
    CrossEntropyLoss,
    Dropout,
    EuclideanLoss,
    HingeLoss,
    HuberLoss,
    KLDivergenceLoss,
    L2Normalisation,
    MaxPool2d,
    NoisyReLU,
    Polynomial,
    Reshape,
    SigmoidCrossEntropyLoss,
    SoftmaxCrossEntropyLoss,
)
from gradcheck.modules.windows import Windows


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dropout(1.0), r"Dropout\(rate=1.0\): expected a probability from 0 to below 1"),
        (lambda: Dropout(float("nan")), r"Dropout\(rate=nan\): expected a probability"),
        (lambda: Clip(1.0, 1.0), r"Clip\(lower=1.0, upper=1.0\): expected lower < upper"),
        (lambda: Concatenate(axis=0), r"axis is 0; expected -1 \(the last\) or 1 \(the channels\)"),
        (lambda: HuberLoss(delta=0.0), r"HuberLoss.*: delta is 0.0; expected a number > 0"),
        (lambda: Conv1d(stride=0), r"Conv1d\(stride=0\): stride is 0; expected a whole number >= 1"),
        (
            lambda: Conv2d(padding=(0, -1)),
            r"padding is \(0, -1\); expected a tuple of 2 whole numbers >= 0, such as \(0, 0\)",
        ),
        (lambda: Conv2d(kernel=(0, 1)), r"kernel is \(0, 1\); expected a tuple of 2 whole numbers >= 1"),
        (lambda: MaxPool2d(size=(2, 0)), r"size is \(2, 0\); expected a tuple of 2 whole numbers >= 1"),
        (lambda: Conv2d(stride=2), r"stride is 2; expected a tuple of 2 whole numbers >= 1, such as \(1, 1\)"),  # type: ignore[arg-type]  # the mistake
        (lambda: Conv2d(groups=True), r"groups is True; expected a whole number >= 1"),
        (lambda: Reshape((-1,)), r"shape is \(-1,\); expected a tuple of 1 whole numbers >= 0"),
        (lambda: Concatenate(parts=0), r"parts is 0; expected a whole number >= 1"),
        (lambda: AvgPool2d(padding=(2, 0)), r"padding is \(2, 0\); expected at most half of the size \(2, 2\)"),
    ],
)
def test_a_field_that_makes_no_sense_is_refused(make: Any, message: str) -> None:
    with pytest.raises(gradcheck.ConfigurationError, match=message):
        make()


@pytest.mark.parametrize(
    "loss",
    [
        EuclideanLoss,
        HuberLoss,
        CrossEntropyLoss,
        SoftmaxCrossEntropyLoss,
        SigmoidCrossEntropyLoss,
        HingeLoss,
        KLDivergenceLoss,
    ],
)
def test_an_unknown_reduction_is_refused(loss: Any) -> None:
    with pytest.raises(gradcheck.ConfigurationError, match=r"reduction is 'max'; expected one of mean, sum, none"):
        loss(reduction="max")


@pytest.mark.parametrize(
    ("module", "leaves", "message"),
    [
        (
            Conv2d(),
            {"x": np.ones((1, 1, 2, 2)), "weight": np.ones((1, 1, 3, 3)), "bias": np.ones(1)},
            r"windows of (3, 3) that span (3, 3) do not fit into (2, 2) with padding (0, 0)",
        ),
        (
            Conv1d(groups=2),
            {"x": np.ones((1, 3, 4)), "weight": np.ones((2, 1, 3)), "bias": np.ones(2)},
            "2 groups do not divide 3 channels in and 2 out among kernels of shape (2, 1, 3)",
        ),
        (Reshape((5,)), {"x": np.ones((2, 3, 2))}, "Reshape(shape=(5,)): a sample of shape (3, 2) has 6 entries"),
    ],
)
def test_sizes_that_do_not_fit_are_told(module: Any, leaves: Any, message: str) -> None:
    report = gradcheck.check(module, leaves)
    assert report.verdict is Verdict.ERROR
    assert message in str(report)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda one: Attention(masked=True).forward(one, one, one),
            "a mask is not given; expected",
        ),
        (lambda one: Attention().forward(one, one, one, one > 0), "a mask is given; expected"),
        (
            lambda one: BatchNorm(training=False).forward(one, one[0], one[0]),
            "given are no mean and variance",
        ),
        (
            lambda one: BatchNorm().forward(one, *4 * [one[0]]),
            "given are mean and variance; expected both",
        ),
        (
            lambda one: BatchNorm().forward(one, *3 * [one[0]]),
            "given are mean; expected both in evaluation",
        ),
        (lambda one: Dropout().forward(one), "Dropout: forward needs rng while training"),
        (
            lambda one: Windows((2,), (1,), (0,), (1,)).count((1, 1, 3, 3)),
            r"slide over 1 axes .* has shape",
        ),
    ],
)
def test_a_call_without_what_the_configuration_needs_is_refused(call: Any, message: str) -> None:
    with pytest.raises(gradcheck.ConfigurationError, match=message):
        call(np.ones((2, 2)))


def test_zero_probabilities_and_tiny_or_huge_lengths_are_harmless() -> None:
    loss, saved = KLDivergenceLoss().forward(np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]))
    assert loss == pytest.approx(np.log(2.0))
    assert KLDivergenceLoss().backward(saved, np.ones(()))["x"].tolist() == [[-2.0, 0.0]]
    for size in (1e-200, 1e200):
        np.testing.assert_allclose(L2Normalisation().forward(size * np.array([3.0, 4.0]))[0], [0.6, 0.8])


@pytest.mark.parametrize(
    "module", [GELU(), GELU(exact=False), Polynomial(), Dropout(), NoisyReLU()], ids=lambda m: m.name
)
def test_single_precision_stays_single(module: Any) -> None:
    leaves = {leaf: np.ones(3, np.float32) for leaf in module.leaves}
    stream = {"rng": np.random.default_rng(0)} if module.stochastic else {}
    a, saved = module.forward(**leaves, **stream)
    assert {array.dtype for array in (a, *module.backward(saved, a).values())} == {np.dtype("float32")}


def test_a_query_that_may_look_nowhere_gets_nothing() -> None:
    one = np.ones((1, 2))
    a, saved = Attention(masked=True).forward(query=one, key=one, value=one, mask=np.array([[False]]))
    assert a.tolist() == [[0.0, 0.0]]
    assert all(np.all(gradient == 0) for gradient in Attention(masked=True).backward(saved, one).values())


def test_at_a_tie_the_first_of_the_largest_gets_the_gradient() -> None:
    tied = np.array([[[[2.0, 2.0], [1.0, 2.0]]]])
    report = gradcheck.check(MaxPool2d(), {"x": tied}, checks=["gradient"])
    assert report.verdict is Verdict.PASS, str(report)
    assert "kink" in str(report)
    assert MaxPool2d().backward(MaxPool2d().forward(tied)[1], np.ones((1, 1, 1, 1)))["x"].tolist() == [
        [[[1.0, 0.0], [0.0, 0.0]]]
    ]
