"""The catalogue: the modules of the backpropagation lecture, as verified examples."""

from gradcheck.modules.activation import GELU as GELU
from gradcheck.modules.activation import Sigmoid as Sigmoid
from gradcheck.modules.activation import SiLU as SiLU
from gradcheck.modules.activation import Softplus as Softplus
from gradcheck.modules.activation import Tanh as Tanh
from gradcheck.modules.arithmetic import Add as Add
from gradcheck.modules.arithmetic import Multiply as Multiply
from gradcheck.modules.attention import Attention as Attention
from gradcheck.modules.batch_normalisation import BatchNorm as BatchNorm
from gradcheck.modules.cells import GRUCell as GRUCell
from gradcheck.modules.cells import LSTMCell as LSTMCell
from gradcheck.modules.cells import RNNCell as RNNCell
from gradcheck.modules.classification_loss import CrossEntropyLoss as CrossEntropyLoss
from gradcheck.modules.classification_loss import HingeLoss as HingeLoss
from gradcheck.modules.classification_loss import KLDivergenceLoss as KLDivergenceLoss
from gradcheck.modules.classification_loss import SigmoidCrossEntropyLoss as SigmoidCrossEntropyLoss
from gradcheck.modules.classification_loss import SoftmaxCrossEntropyLoss as SoftmaxCrossEntropyLoss
from gradcheck.modules.composite import Composite as Composite
from gradcheck.modules.convolution import Conv1d as Conv1d
from gradcheck.modules.convolution import Conv2d as Conv2d
from gradcheck.modules.elementary import Absolute as Absolute
from gradcheck.modules.elementary import Clip as Clip
from gradcheck.modules.elementary import Exp as Exp
from gradcheck.modules.elementary import Log as Log
from gradcheck.modules.elementary import Power as Power
from gradcheck.modules.graph import Graph as Graph
from gradcheck.modules.graph import Node as Node
from gradcheck.modules.linear import Bilinear as Bilinear
from gradcheck.modules.linear import Embedding as Embedding
from gradcheck.modules.linear import Linear as Linear
from gradcheck.modules.network_in_network import MlpConv as MlpConv
from gradcheck.modules.normalisation import L1Normalisation as L1Normalisation
from gradcheck.modules.normalisation import L2Normalisation as L2Normalisation
from gradcheck.modules.normalisation import LayerNorm as LayerNorm
from gradcheck.modules.normalisation import RMSNorm as RMSNorm
from gradcheck.modules.polynomial import Polynomial as Polynomial
from gradcheck.modules.pooling import AvgPool2d as AvgPool2d
from gradcheck.modules.pooling import GlobalAveragePool as GlobalAveragePool
from gradcheck.modules.pooling import MaxPool2d as MaxPool2d
from gradcheck.modules.radial_basis import Decay as Decay
from gradcheck.modules.radial_basis import RadialBasisCascade as RadialBasisCascade
from gradcheck.modules.radial_basis import RadialBasisNetwork as RadialBasisNetwork
from gradcheck.modules.radial_basis import Scale as Scale
from gradcheck.modules.radial_basis import SquaredDistance as SquaredDistance
from gradcheck.modules.radial_basis import Sum as Sum
from gradcheck.modules.rectifier import ELU as ELU
from gradcheck.modules.rectifier import LeakyReLU as LeakyReLU
from gradcheck.modules.rectifier import NoisyReLU as NoisyReLU
from gradcheck.modules.rectifier import PReLU as PReLU
from gradcheck.modules.rectifier import ReLU as ReLU
from gradcheck.modules.recurrent import Recurrent as Recurrent
from gradcheck.modules.regression_loss import EuclideanLoss as EuclideanLoss
from gradcheck.modules.regression_loss import HuberLoss as HuberLoss
from gradcheck.modules.regularisation import Dropout as Dropout
from gradcheck.modules.regularisation import WeightDecay as WeightDecay
from gradcheck.modules.residual import Residual as Residual
from gradcheck.modules.sequential import Sequential as Sequential
from gradcheck.modules.softmax import LogSoftmax as LogSoftmax
from gradcheck.modules.softmax import Softmax as Softmax
from gradcheck.modules.structure import Concatenate as Concatenate
from gradcheck.modules.structure import Flatten as Flatten
from gradcheck.modules.structure import Reshape as Reshape
from gradcheck.modules.trigonometric import Cos as Cos
from gradcheck.modules.trigonometric import ShiftedCosine as ShiftedCosine
from gradcheck.modules.trigonometric import Sin as Sin
from gradcheck.modules.trigonometric import Sinusoid as Sinusoid
from gradcheck.values.module import Module

_ELEMENTWISE: tuple[type[Module], ...] = (
    *(Sigmoid, Tanh, Softplus, SiLU, GELU),
    *(ReLU, LeakyReLU, PReLU, NoisyReLU, ELU),
    *(Exp, Log, Power, Absolute, Clip),
    *(Sin, Cos, ShiftedCosine, Sinusoid, Polynomial),
)
_STRUCTURE: tuple[type[Module], ...] = (
    *(Linear, Bilinear, Embedding, Conv1d, Conv2d),
    *(MaxPool2d, AvgPool2d, GlobalAveragePool),
    *(Flatten, Reshape, Concatenate, Add, Multiply),
)
_LOSSES: tuple[type[Module], ...] = (
    *(Softmax, LogSoftmax, EuclideanLoss, HuberLoss, CrossEntropyLoss, SoftmaxCrossEntropyLoss),
    *(SigmoidCrossEntropyLoss, HingeLoss, KLDivergenceLoss),
)
_REGULARISATION: tuple[type[Module], ...] = (
    *(Dropout, WeightDecay, L2Normalisation, L1Normalisation, BatchNorm, LayerNorm, RMSNorm),
)
_NETWORKS: tuple[type[Module], ...] = (
    *(SquaredDistance, Decay, Scale, Sum, RadialBasisNetwork, RadialBasisCascade),
    *(MlpConv, Attention, RNNCell, LSTMCell, GRUCell, Recurrent),
)


def catalogue() -> tuple[Module | type[Module], ...]:
    """All bundled modules, as ``gradcheck report`` verifies them; a class stands for its variants."""
    classifier = {"hidden": Linear(), "squash": Sigmoid(), "output": Linear(), "loss": SoftmaxCrossEntropyLoss()}
    regression = {"hidden": Linear(), "squash": Tanh(), "output": Linear(), "loss": EuclideanLoss("mean")}
    dense = Sequential({"one": Linear(), "squash": Tanh(), "two": Linear()})
    strided = Conv2d(stride=(2, 2), padding=(1, 1))
    projection = Conv2d(stride=(2, 2), kernel=(1, 1))
    images = ({"C": 2, "H": 3, "W": 5, "M": 3, "K": 3, "L": 3}, {"C": 1, "H": 4, "W": 3, "M": 2, "K": 3, "L": 3})
    return (
        *(_ELEMENTWISE + _STRUCTURE + _LOSSES + _REGULARISATION + _NETWORKS),
        Recurrent(LSTMCell()),
        Recurrent(GRUCell()),
        Sequential(classifier),
        Sequential(regression),
        Residual(dense),
        Residual(strided, projection, sizes=images),
        decayed(),
    )


def decayed() -> Graph:
    """A loss with weight decay, over a skip connection: several outputs, a shared leaf, a stochastic node."""
    nodes = {
        "dense": Node(Linear(), {"x": "x"}),
        "drop": Node(Dropout(0.3), {"x": "dense"}),
        "plus": Node(Add(), {"x": "drop", "y": "x"}),
        "loss": Node(EuclideanLoss(), {"x": "plus", "y": "y"}),
        "decay": Node(WeightDecay(), {"weight": "dense.weight"}),
        "total": Node(Add(), {"x": "loss", "y": "decay"}),
    }
    return Graph(nodes, {"total": "total", "prediction": "plus"})
