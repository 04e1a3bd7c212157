"""Losses with their reductions, weights and targets."""

from tests.plugins.torch.operators.draws import (
    between,
    distinct,
    indices,
    labels,
    nonzero,
    normal,
    positive,
    signs,
    simplex,
)
from tests.plugins.torch.operators.row import Operator, torch

F = torch.nn.functional

_PAIR = {"x": distinct(3, 4), "y": between(2.2, 3.0, 3, 4)}
_NORMALS = {"x": normal(3, 4), "y": normal(3, 4)}
_CLASSES = {"x": normal(4, 3), "y": labels(3, 4)}
_PROBABILITIES = {"x": between(0.1, 0.9, 3, 4), "y": between(0.1, 0.9, 3, 4)}
_TRIPLET = {"x": normal(3, 4), "y": normal(3, 4), "z": normal(3, 4)}

OPERATORS = (
    Operator("mse_loss", lambda x, y: F.mse_loss(x, y), _NORMALS),
    Operator("mse_loss, none", lambda x, y: F.mse_loss(x, y, reduction="none"), _NORMALS),
    Operator("l1_loss", lambda x, y: F.l1_loss(x, y, reduction="sum"), _PAIR),
    Operator("smooth_l1_loss", lambda x, y: F.smooth_l1_loss(x, y, beta=0.7), _NORMALS),
    Operator("huber_loss", lambda x, y: F.huber_loss(x, y, delta=0.8, reduction="none"), _NORMALS),
    Operator("cross_entropy", lambda x, y: F.cross_entropy(x, y), _CLASSES),
    Operator("cross_entropy, weights", lambda x, y: F.cross_entropy(x, y, weight=torch.arange(1, 4).to(x)), _CLASSES),
    Operator(
        "cross_entropy, smoothed", lambda x, y: F.cross_entropy(x, y, label_smoothing=0.2, reduction="none"), _CLASSES
    ),
    Operator(
        "cross_entropy, ignored",
        lambda x, y: F.cross_entropy(x, y, ignore_index=1),
        {"x": normal(4, 3), "y": indices([0, 1, 2, 1])},
    ),
    Operator(
        "cross_entropy, probabilities", lambda x, y: F.cross_entropy(x, y), {"x": normal(4, 3), "y": simplex(4, 3)}
    ),
    Operator(
        "cross_entropy of pictures",
        lambda x, y: F.cross_entropy(x, y, reduction="sum"),
        {"x": normal(2, 3, 2, 2), "y": labels(3, 2, 2, 2)},
    ),
    Operator("nll_loss", lambda x, y: F.nll_loss(F.log_softmax(x, 1), y), _CLASSES),
    Operator("nll_loss, none", lambda x, y: F.nll_loss(x, y, reduction="none"), _CLASSES),
    Operator("kl_div", lambda x, y: F.kl_div(x, y, reduction="batchmean"), {"x": normal(3, 4), "y": simplex(3, 4)}),
    Operator("kl_div of logarithms", lambda x, y: F.kl_div(x, y, reduction="sum", log_target=True), _NORMALS),
    Operator("binary_cross_entropy", lambda x, y: F.binary_cross_entropy(x, y), _PROBABILITIES),
    Operator(
        "binary_cross_entropy, weights",
        lambda x, y: F.binary_cross_entropy(x, y, weight=torch.arange(1, 5).to(x), reduction="sum"),
        _PROBABILITIES,
    ),
    Operator("binary_cross_entropy_with_logits", lambda x, y: F.binary_cross_entropy_with_logits(x, y), _NORMALS),
    Operator(
        "binary_cross_entropy_with_logits, weights",
        lambda x, y: F.binary_cross_entropy_with_logits(x, y, pos_weight=torch.arange(1, 5).to(x), reduction="none"),
        {"x": normal(3, 4), "y": between(0.1, 0.9, 3, 4)},
    ),
    Operator(
        "poisson_nll_loss",
        lambda x, y: F.poisson_nll_loss(x, y, full=True),
        {"x": normal(3, 4), "y": between(1.5, 4.0, 3, 4)},
    ),
    Operator(
        "poisson_nll_loss of means",
        lambda x, y: F.poisson_nll_loss(x, y, log_input=False),
        {"x": positive(3, 4), "y": positive(3, 4)},
    ),
    Operator(
        "gaussian_nll_loss",
        lambda x, y, v: F.gaussian_nll_loss(x, y, v, full=True),
        {"x": normal(3, 4), "y": normal(3, 4), "v": positive(3, 1)},
    ),
    Operator("hinge_embedding_loss", lambda x, y: F.hinge_embedding_loss(x, y), {"x": distinct(6), "y": signs(6)}),
    Operator(
        "margin_ranking_loss",
        lambda x, z, y: F.margin_ranking_loss(x, z, y, margin=0.1),
        {"x": distinct(6), "z": between(-0.2, 0.2, 6), "y": signs(6)},
    ),
    Operator(
        "multilabel_margin_loss",
        lambda x, y: F.multilabel_margin_loss(x, y),
        {"x": normal(2, 4), "y": indices([[3, 0, -1, 1], [1, -1, 0, 0]])},
    ),
    Operator(
        "multilabel_soft_margin_loss",
        lambda x, y: F.multilabel_soft_margin_loss(x, y),
        {"x": normal(3, 4), "y": between(0, 1, 3, 4)},
    ),
    Operator("multi_margin_loss", lambda x, y: F.multi_margin_loss(x, y, margin=0.9), _CLASSES),
    Operator("multi_margin_loss, squared", lambda x, y: F.multi_margin_loss(x, y, p=2, reduction="none"), _CLASSES),
    Operator("soft_margin_loss", lambda x, y: F.soft_margin_loss(x, y), {"x": normal(6), "y": signs(6)}),
    Operator("triplet_margin_loss", lambda x, y, z: F.triplet_margin_loss(x, y, z, margin=2.0), _TRIPLET),
    Operator(
        "triplet_margin_loss, swapped",
        lambda x, y, z: F.triplet_margin_loss(x, y, z, p=3.0, swap=True, reduction="none"),
        _TRIPLET,
    ),
    Operator(
        "cosine_embedding_loss",
        lambda x, y, t: F.cosine_embedding_loss(x, y, t, margin=-0.5),
        {"x": nonzero(4, 3), "y": nonzero(4, 3), "t": signs(4)},
    ),
    Operator(
        "ctc_loss",
        lambda x, y: F.ctc_loss(F.log_softmax(x, 2), y, torch.tensor([5, 4]), torch.tensor([2, 2])),
        {"x": normal(5, 2, 3), "y": indices([[1, 2], [2, 2]])},
    ),
)
