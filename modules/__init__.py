"""The catalogue: the modules of the backpropagation lecture, as verified examples."""

from gradcheck.modules.activation import ReLU as ReLU
from gradcheck.modules.activation import Sigmoid as Sigmoid
from gradcheck.modules.activation import Tanh as Tanh
from gradcheck.modules.linear import Linear as Linear
from gradcheck.modules.loss import CrossEntropyLoss as CrossEntropyLoss
from gradcheck.modules.loss import EuclideanLoss as EuclideanLoss
from gradcheck.modules.loss import SoftmaxCrossEntropyLoss as SoftmaxCrossEntropyLoss
from gradcheck.modules.sequential import Sequential as Sequential
from gradcheck.modules.softmax import Softmax as Softmax
from gradcheck.modules.trigonometric import Cosine as Cosine
from gradcheck.values.module import Module


def catalogue() -> tuple[Module | type[Module], ...]:
    """All bundled modules, as ``gradcheck report`` verifies them; a class stands for its variants."""
    classifier = {
        "hidden": Linear(),
        "squash": Sigmoid(),
        "output": Linear(),
        "loss": SoftmaxCrossEntropyLoss(),
    }
    regression = {"hidden": Linear(), "squash": Tanh(), "output": Linear(), "loss": EuclideanLoss("mean")}
    return (
        Linear,
        Sigmoid,
        Tanh,
        ReLU,
        Cosine,
        Softmax,
        EuclideanLoss,
        CrossEntropyLoss,
        SoftmaxCrossEntropyLoss,
        Sequential(classifier),
        Sequential(regression),
    )
