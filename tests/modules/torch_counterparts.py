"""What torch has for every bundled module: functions of the module and of its leaves, as tensors, by name."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gradcheck import modules as own
from gradcheck.values.module import Module

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed; make test-all installs it", exc_type=ImportError
)
F: Any = torch.nn.functional


def reduced(m: Any, losses: Any) -> Any:
    """The losses of the samples (N,), reduced; the mean over no samples is 0 by our convention, NaN by torch's."""
    if m.reduction == "none":
        return losses
    return losses.mean() if m.reduction == "mean" and len(losses) else losses.sum()


def batch_norm(m: Any, x: Any, gain: Any, bias: Any, mean: Any = None, variance: Any = None) -> Any:
    # Not F.batch_norm, which refuses a batch of one and then calls this.
    if m.training:
        return torch.batch_norm(x, gain, bias, None, None, True, 0.0, m.epsilon, False)
    a = torch.batch_norm(x, gain, bias, mean.detach(), variance.detach(), False, 0.0, m.epsilon, False)
    # torch gives no gradient to given moments; theirs comes from a difference that is 0.
    mean, variance, gain = (feature.reshape(-1, *[1] * (x.dim() - 2)) for feature in (mean, variance, gain.detach()))
    through_moments = gain * (x.detach() - mean) / torch.sqrt(variance + m.epsilon)
    return a + (through_moments - through_moments.detach())


def l2_normalised(m: Any, x: Any) -> Any:
    # 0 stays 0 with the derivative of the identity; F.normalize divides it, and its cotangent, by 1e-12.
    return torch.where((x == 0).all(dim=-1, keepdim=True), x, F.normalize(x, p=2.0, dim=-1))


def l1_normalised(m: Any, x: Any) -> Any:
    return torch.where((x == 0).all(dim=-1, keepdim=True), x, F.normalize(x, p=1.0, dim=-1))


def hinge(m: Any, x: Any, y: Any) -> Any:
    # torch divides by the number of classes. Reduced by itself it would return memory that is not initialised, if there
    # are no samples.
    return reduced(m, x.shape[1] * F.multi_margin_loss(x, y, margin=m.margin, reduction="none"))


def noisy_relu(m: Any, x: Any, rng: Any) -> Any:
    # √σ(x) by its logarithm: the square root of what underflows has the derivative NaN.
    return F.relu(x + torch.exp(0.5 * F.logsigmoid(x)) * torch.from_numpy(rng.standard_normal(x.shape)))


def dropout(m: Any, x: Any, rng: Any = None) -> Any:
    if not m.training:
        return F.dropout(x, m.rate, training=False)
    return x * torch.from_numpy(rng.random(x.shape) >= m.rate) / (1.0 - m.rate)


def squared_distances(m: Any, x: Any, centres: Any) -> Any:
    # By differences, as ours; the product of matrices, which torch prefers for many rows, cancels near a centre.
    return torch.cdist(x, centres, compute_mode="donot_use_mm_for_euclid_dist") ** 2


def radial_basis(m: Any, x: Any, centres: Any, beta: Any, u: Any) -> Any:
    return torch.exp(-beta * squared_distances(m, x, centres)) @ u


def gates(weight: Any) -> Any:
    """Weights (K, D, M) of K gates as torch packs them, (K M, D)."""
    return weight.mT.flatten(0, 1)


def rnn_weights(weight: Any, recurrent: Any, bias: Any) -> list[Any]:
    # torch has a second bias, behind the recurrent product; it differs from the first for the n of a GRU only.
    return [weight.T, recurrent.T, bias, torch.zeros_like(bias)]


def lstm_weights(weight: Any, recurrent: Any, bias: Any) -> list[Any]:
    return [gates(weight), gates(recurrent), bias.flatten(), torch.zeros_like(bias).flatten()]


def gru_weights(weight: Any, recurrent: Any, bias: Any, inner: Any) -> list[Any]:
    second = torch.cat([torch.zeros_like(bias[:2]).flatten(), inner])
    return [gates(weight), gates(recurrent), bias.flatten(), second]


def recurrent(m: Any, x: Any, h: Any, c: Any = None, **cell: Any) -> Any:
    # What torch.nn.RNN, LSTM and GRU call; biases, one layer, no dropout, not in training, one direction, batch first.
    options = (True, 1, 0.0, False, False, True)
    weights = leaves_of("cell", cell)
    if isinstance(m.cell, own.LSTMCell):
        a, *states = torch.lstm(x, (h[None], c[None]), lstm_weights(**weights), *options)
    elif isinstance(m.cell, own.GRUCell):
        a, *states = torch.gru(x, h[None], gru_weights(**weights), *options)
    else:
        assert isinstance(m.cell, own.RNNCell)
        a, *states = torch.rnn_tanh(x, h[None], rnn_weights(**weights), *options)
    return (a, *(state[0] for state in states))


def leaves_of(part: str, leaves: Mapping[str, Any]) -> dict[str, Any]:
    """The leaves of one part of a composite, by their own names."""
    return {path.removeprefix(f"{part}."): leaf for path, leaf in leaves.items() if path.startswith(f"{part}.")}


def counterpart(part: Module, *fed: Any, **leaves: Any) -> Any:
    return COUNTERPARTS[type(part)](part, *fed, **leaves)


def sequential(m: Any, x: Any, **leaves: Any) -> Any:
    for name, stage in m.stages.items():
        x = counterpart(stage, x, **leaves_of(name, leaves))
    return x


def residual(m: Any, x: Any, **leaves: Any) -> Any:
    shortcut = counterpart(m.shortcut, x, **leaves_of("shortcut", leaves)) if m.shortcut else x
    return counterpart(m.body, x, **leaves_of("body", leaves)) + shortcut


def mlp_conv(m: Any, x: Any, **leaves: Any) -> Any:
    a = F.relu(F.conv2d(x, leaves["conv.weight"], leaves["conv.bias"], m.stride, m.padding))
    for mix in ("mix1", "mix2"):
        a = F.relu(F.conv2d(a, leaves[f"{mix}.weight"], leaves[f"{mix}.bias"]))
    return a


def decayed(m: Any, x: Any, y: Any, rng: Any, **dense: Any) -> Any:
    # The one graph of the catalogue.
    parts = {name: node.module for name, node in m.nodes.items()}
    weight = dense["dense.weight"]
    prediction = x + dropout(parts["drop"], F.linear(x, weight.T, dense["dense.bias"]), rng)
    loss = 0.5 * F.mse_loss(prediction, y, reduction="sum")
    return loss + 0.5 * parts["decay"].strength * weight.square().sum(), prediction


COUNTERPARTS: Mapping[type[Module], Callable[..., Any]] = {
    own.Sigmoid: lambda m, x: torch.sigmoid(x),
    own.Tanh: lambda m, x: torch.tanh(x),
    own.Softplus: lambda m, x: F.softplus(x),
    own.SiLU: lambda m, x: F.silu(x),
    own.GELU: lambda m, x: F.gelu(x, approximate="none" if m.exact else "tanh"),
    own.ReLU: lambda m, x: F.relu(x),
    own.LeakyReLU: lambda m, x: F.leaky_relu(x, m.slope),
    own.PReLU: lambda m, x, beta: F.prelu(x, beta.reshape(1)),
    own.NoisyReLU: noisy_relu,
    own.ELU: lambda m, x: F.elu(x, m.alpha),
    own.Exp: lambda m, x: torch.exp(x),
    own.Log: lambda m, x: torch.log(x),
    own.Power: lambda m, x: torch.pow(x, m.exponent),
    own.Absolute: lambda m, x: torch.abs(x),
    own.Clip: lambda m, x: F.hardtanh(x, m.lower, m.upper),  # torch.clamp has the subgradient 1 at the bounds
    own.Sin: lambda m, x: torch.sin(x),
    own.Cos: lambda m, x: torch.cos(x),
    own.ShiftedCosine: lambda m, x, theta: torch.cos(theta * x) + math.pi,
    own.Sinusoid: lambda m, x, frequency, phase: torch.sin(frequency * x + phase),
    own.Polynomial: lambda m, x, coefficients: torch.linalg.vander(x, N=len(coefficients)) @ coefficients,
    own.Linear: lambda m, x, weight, bias: F.linear(x, weight.T, bias),
    own.Bilinear: lambda m, x, y, weight, bias: F.bilinear(x, y, weight, bias),
    own.Embedding: lambda m, index, weight: F.embedding(index, weight),
    own.Conv1d: lambda m, x, weight, bias: F.conv1d(x, weight, bias, m.stride, m.padding, m.dilation, m.groups),
    own.Conv2d: lambda m, x, weight, bias: F.conv2d(x, weight, bias, m.stride, m.padding, m.dilation, m.groups),
    own.MaxPool2d: lambda m, x: F.max_pool2d(x, m.size, m.stride, m.padding),
    own.AvgPool2d: lambda m, x: F.avg_pool2d(x, m.size, m.stride, m.padding),
    # Any number of axes behind the channels, where torch has a pool for two.
    own.GlobalAveragePool: lambda m, x: x.flatten(2).mean(dim=2) if x.dim() > 2 else x.clone(),
    own.Flatten: lambda m, x: x.unsqueeze(-1).flatten(1),  # (N,) has no axis 1
    own.Reshape: lambda m, x: x.flatten(1).unflatten(1, m.shape),
    own.Concatenate: lambda m, **parts: torch.cat(list(parts.values()), dim=m.axis),
    own.Add: lambda m, x, y: torch.add(x, y),
    own.Multiply: lambda m, x, y: torch.mul(x, y),
    own.Softmax: lambda m, x: F.softmax(x, dim=-1),
    own.LogSoftmax: lambda m, x: F.log_softmax(x, dim=-1),
    own.EuclideanLoss: lambda m, x, y: reduced(m, 0.5 * F.mse_loss(x, y, reduction="none").sum(-1)),
    own.HuberLoss: lambda m, x, y: reduced(m, F.huber_loss(x, y, reduction="none", delta=m.delta).sum(-1)),
    own.CrossEntropyLoss: lambda m, x, y: reduced(m, F.nll_loss(torch.log(x), y.argmax(-1), reduction="none")),
    own.SoftmaxCrossEntropyLoss: lambda m, x, y: reduced(m, F.cross_entropy(x, y, reduction="none")),
    own.SigmoidCrossEntropyLoss: lambda m, x, y: reduced(
        m, F.binary_cross_entropy_with_logits(x, y, reduction="none").sum(-1)
    ),
    own.HingeLoss: hinge,
    own.KLDivergenceLoss: lambda m, x, y: reduced(m, F.kl_div(torch.log(x), y, reduction="none").sum(-1)),
    own.Dropout: dropout,
    own.WeightDecay: lambda m, weight: 0.5 * m.strength * weight.square().sum(),
    own.L2Normalisation: l2_normalised,
    own.L1Normalisation: l1_normalised,
    own.BatchNorm: batch_norm,
    own.LayerNorm: lambda m, x, gain, bias: F.layer_norm(x, gain.shape, gain, bias, m.epsilon),
    own.RMSNorm: lambda m, x, gain: F.rms_norm(x, gain.shape, gain, m.epsilon),
    own.SquaredDistance: squared_distances,
    own.Decay: lambda m, x, beta: torch.exp(-beta * x),
    own.Scale: lambda m, x, u: torch.mul(x, u),
    own.Sum: lambda m, x: torch.sum(x, dim=1),
    own.RadialBasisNetwork: radial_basis,
    own.RadialBasisCascade: radial_basis,
    own.MlpConv: mlp_conv,
    own.Attention: lambda m, query, key, value, mask=None: F.scaled_dot_product_attention(query, key, value, mask),
    own.RNNCell: lambda m, x, h, **cell: torch.rnn_tanh_cell(x, h, *rnn_weights(**cell)),
    own.LSTMCell: lambda m, x, h, c, **cell: torch.lstm_cell(x, (h, c), *lstm_weights(**cell)),
    own.GRUCell: lambda m, x, h, **cell: torch.gru_cell(x, h, *gru_weights(**cell)),
    own.Recurrent: recurrent,
    own.Sequential: sequential,
    own.Residual: residual,
    own.Graph: decayed,
}
# Modules that torch cannot express, each with the reason.
NOT_IN_TORCH: Mapping[type[Module], str] = {}
