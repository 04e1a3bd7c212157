"""Two digit classifiers made of the catalogue's modules, and how they are verified."""

from dataclasses import dataclass

import gradcheck
from gradcheck.modules import AvgPool2d, Conv2d, Flatten, Linear, Sequential, SiLU, SoftmaxCrossEntropyLoss


@dataclass(frozen=True)
class Classifier:
    """Stages, the shape of a sample, sizes of the dimensions, and sizes of a narrow version to verify in full."""

    stages: dict
    shape: tuple
    sizes: dict
    narrow: dict

    @property
    def network(self):
        return Sequential(self.stages)

    @property
    def training(self):
        return Sequential({**self.stages, "loss": SoftmaxCrossEntropyLoss("mean")})


MLP = Classifier(
    stages={"hidden": Linear(), "squash": SiLU(), "output": Linear()},
    shape=(64,),
    sizes={"D": 64, "M": 64, "M2": 10},
    narrow={"M": 4},
)
CONVNET = Classifier(
    stages={
        "conv1": Conv2d(),  # 8 x 8 pixels to 6 x 6
        "squash1": SiLU(),
        "conv2": Conv2d(),  # to 4 x 4
        "squash2": SiLU(),
        "pool": AvgPool2d(),  # to 2 x 2: 4 features a channel
        "flat": Flatten(),
        "output": Linear(),
    },
    shape=(1, 8, 8),
    sizes={"C": 1, "K": 3, "L": 3, "M": 8, "K2": 3, "L2": 3, "M2": 12, "F": 48, "M3": 10},
    narrow={"M": 2, "M2": 2, "F": 8},
)


def gradient_error(classifier, parameters, x):
    """Verify the gradients of all biases at these parameters, and with them the way back through the whole network.

    Of the scores, without the loss: that of a digit which the network is sure of is 0 but for rounding.
    Returns the largest relative error that the numerical error does not explain.
    """
    biases = {name: value for name, value in parameters.items() if name.endswith("bias")}
    network = classifier.network

    def forward(**leaves):
        return network.forward(x=x, **{**parameters, **leaves})[0]

    def backward(leaves, scores_bar):
        saved = network.forward(x=x, **{**parameters, **leaves})[1]
        gradients = network.backward(saved, scores_bar)
        return {name: gradients[name] for name in biases}

    module = gradcheck.from_functions(forward, backward, name="biases")
    report = gradcheck.check(module, biases, threshold=1e-6, checks=["gradient"])
    report.raise_for_failure()
    return max(check.evidence.relative_error for case in report.verification.cases for check in case.checks)
