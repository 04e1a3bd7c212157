"""The same verification as an ordinary test, at real data instead of drawn points."""

import pytest
from network import Network, SoftmaxCrossEntropy

import gradcheck as gc
from gradcheck import labels, real

train = pytest.importorskip("train", reason="scikit-learn has the digits", exc_type=ImportError)


@pytest.fixture(scope="module")
def digits():
    return train.load()


def test_network_on_real_digits(gradcheck, digits):
    (pixels, _), _ = digits
    network = gc.from_object(lambda: Network(pixels=64, hidden=8, classes=10), inputs={"x": real("N 64")})
    gradcheck(network, {"x": pixels[:3]}, threshold=1e-6)


def test_loss_on_real_labels(gradcheck, digits):
    (pixels, targets), _ = digits
    logits = Network(pixels=64, hidden=8, classes=10).forward(pixels[:5])
    loss = gc.from_object(SoftmaxCrossEntropy, inputs={"logits": real("N 10"), "labels": labels("N", classes=10)})
    gradcheck(loss, {"logits": logits, "labels": targets[:5]}, threshold=1e-6)


def test_it_learns(digits):
    training, held_out = digits
    network = Network(pixels=64, hidden=32, classes=10)
    train.train(network, *training)
    assert train.accuracy(network, *held_out) >= 0.95
