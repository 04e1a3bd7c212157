"""Network in network: a small network instead of one linear filter, slid over the image."""

from dataclasses import dataclass

from gradcheck.modules.composite import Composite
from gradcheck.modules.convolution import Conv2d
from gradcheck.modules.graph import Graph
from gradcheck.modules.rectifier import ReLU
from gradcheck.modules.sequential import Sequential


@dataclass(frozen=True)
class MlpConv(Composite):
    """mlpconv: a convolution and two more layers at every place of the image, each with a rectifier (Lin et al. 2014).

    The layers behind the first are convolutions with kernels 1 × 1, which mix the channels of one place.

    Shapes: x (N, C, H, W), conv.weight (M, C, K, L), mix1.weight (M2, M, 1, 1), mix2.weight (M3, M2, 1, 1), biases
    accordingly, a (N, M3, P, Q).

    >>> list(MlpConv().parameters)
    ['conv.weight', 'conv.bias', 'mix1.weight', 'mix1.bias', 'mix2.weight', 'mix2.bias']
    """

    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)

    variants = ({}, {"stride": (2, 1), "padding": (0, 1)})
    dimensions = (
        {"C": 2, "H": 3, "W": 4, "M": 3, "K": 2, "L": 3, "M2": 4, "M3": 2},
        {"C": 3, "H": 4, "W": 3, "M": 2, "K": 3, "L": 2, "M2": 2, "M3": 3},
    )

    @property
    def graph(self) -> Graph:
        stages = {
            "conv": Conv2d(self.stride, self.padding),
            "relu": ReLU(),
            "mix1": Conv2d(kernel=(1, 1)),
            "relu1": ReLU(),
            "mix2": Conv2d(kernel=(1, 1)),
            "relu2": ReLU(),
        }
        return Sequential(stages).graph
