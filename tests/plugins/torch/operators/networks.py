"""Layers of networks: convolutions, pools, norms, attention, resampling, embeddings, recurrent cells."""

from collections.abc import Callable
from typing import Any

from tests.plugins.torch.operators.draws import between, distinct, indices, labels, mask, normal, positive
from tests.plugins.torch.operators.row import Operator, torch

F = torch.nn.functional

_IMAGE = {"x": normal(1, 2, 4, 3)}
_PEAKS = {"x": distinct(1, 2, 4, 4)}
_AFFINE = {"w": normal(4), "b": normal(4)}
_ATTENTION = {"q": normal(2, 3, 4), "k": normal(2, 3, 4), "v": normal(2, 3, 2)}
_CELL = {"x": normal(2, 3), "h": normal(2, 2), "w": normal(2, 3), "u": normal(2, 2), "b": normal(2), "c": normal(2)}
_LSTM = {"x": normal(2, 2), "h": normal(2, 2), "s": normal(2, 2), "w": normal(8, 2), "u": normal(8, 2), "b": normal(8)}


def _grid(mode: str, padding: str, corners: bool) -> Callable[..., Any]:
    return lambda x, g: F.grid_sample(x, g, mode, padding, align_corners=corners)


def _interpolate(**options: object) -> Callable[..., Any]:
    return lambda x: F.interpolate(x, **options)


OPERATORS = (
    Operator("linear", lambda x, w, b: F.linear(x, w, b), {"x": normal(2, 3, 4), "w": normal(2, 4), "b": normal(2)}),
    Operator(
        "bilinear",
        lambda x, y, w, b: F.bilinear(x, y, w, b),
        {"x": normal(2, 3), "y": normal(2, 2), "w": normal(3, 3, 2), "b": normal(3)},
    ),
    Operator(
        "conv1d",
        lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=1),
        {"x": normal(2, 2, 6), "w": normal(3, 2, 3), "b": normal(3)},
    ),
    Operator(
        "conv1d, same",
        lambda x, w: F.conv1d(x, w, padding="same", dilation=2),
        {"x": normal(1, 2, 6), "w": normal(2, 2, 3)},
    ),
    Operator(
        "conv2d",
        lambda x, w, b: F.conv2d(x, w, b, stride=(2, 1), padding=(1, 0), dilation=(1, 2)),
        {"x": normal(1, 2, 4, 5), "w": normal(2, 2, 3, 2), "b": normal(2)},
    ),
    Operator(
        "conv2d, grouped",
        lambda x, w, b: F.conv2d(x, w, b, groups=2),
        {"x": normal(1, 4, 3, 3), "w": normal(4, 2, 2, 2), "b": normal(4)},
    ),
    Operator(
        "conv3d",
        lambda x, w: F.conv3d(x, w, padding=(1, 0, 0)),
        {"x": normal(1, 2, 2, 3, 3), "w": normal(2, 2, 2, 2, 2)},
    ),
    Operator(
        "conv_transpose1d",
        lambda x, w, b: F.conv_transpose1d(x, w, b, stride=2, output_padding=1),
        {"x": normal(1, 2, 4), "w": normal(2, 3, 3), "b": normal(3)},
    ),
    Operator(
        "conv_transpose2d",
        lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1, dilation=2),
        {"x": normal(1, 2, 3, 3), "w": normal(2, 2, 2, 2)},
    ),
    Operator(
        "conv_transpose3d",
        lambda x, w: F.conv_transpose3d(x, w),
        {"x": normal(1, 2, 2, 2, 2), "w": normal(2, 1, 2, 2, 2)},
    ),
    Operator(
        "conv_tbc",
        lambda x, w, b: torch.conv_tbc(x, w, b, 1),
        {"x": normal(4, 2, 2), "w": normal(3, 2, 2), "b": normal(2)},
        waive={"layouts": "it refuses whatever is not contiguous"},
    ),
    Operator("avg_pool1d", lambda x: F.avg_pool1d(x, 3, stride=2, padding=1), {"x": normal(1, 2, 7)}),
    Operator("avg_pool2d", lambda x: F.avg_pool2d(x, 2, stride=1, padding=1, count_include_pad=False), _IMAGE),
    Operator("avg_pool3d", lambda x: F.avg_pool3d(x, 2, stride=1), {"x": normal(1, 2, 3, 3, 2)}),
    Operator("max_pool1d", lambda x: F.max_pool1d(x, 2, stride=1), {"x": distinct(2, 2, 5)}),
    Operator("max_pool2d", lambda x: F.max_pool2d(x, 3, stride=2, padding=1), _PEAKS),
    Operator("max_pool2d, dilated", lambda x: F.max_pool2d(x, 2, stride=1, dilation=2, ceil_mode=True), _PEAKS),
    Operator("max_pool3d", lambda x: F.max_pool3d(x, 2, stride=1), {"x": distinct(1, 1, 3, 3, 3)}),
    Operator("adaptive_avg_pool1d", lambda x: F.adaptive_avg_pool1d(x, 3), {"x": normal(2, 2, 5)}),
    Operator("adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, (3, 2)), _IMAGE),
    Operator("adaptive_avg_pool3d", lambda x: F.adaptive_avg_pool3d(x, 1), {"x": normal(1, 2, 2, 2, 3)}),
    Operator("adaptive_max_pool1d", lambda x: F.adaptive_max_pool1d(x, 3), {"x": distinct(1, 2, 7)}),
    Operator("adaptive_max_pool2d", lambda x: F.adaptive_max_pool2d(x, (3, 2)), _PEAKS),
    Operator("lp_pool1d", lambda x: F.lp_pool1d(x, 2.0, 3), {"x": positive(1, 2, 5)}),
    Operator("lp_pool2d", lambda x: F.lp_pool2d(x, 3.0, 2, stride=1), {"x": positive(1, 2, 3, 4)}),
    Operator(
        "fractional_max_pool2d",
        lambda x: F.fractional_max_pool2d(x, 2, output_size=2, _random_samples=torch.full((1, 1, 2), 0.4).to(x)),
        {"x": distinct(1, 1, 5, 5)},
    ),
    Operator(
        "max_unpool2d",
        lambda x, i: F.max_unpool2d(x, i, 2),
        {"x": normal(1, 1, 2, 2), "i": indices([[[[0, 3], [9, 14]]]])},
    ),
    Operator("layer_norm", lambda x, w, b: F.layer_norm(x, (4,), w, b), {"x": normal(3, 4), **_AFFINE}),
    Operator("layer_norm over two axes", lambda x: F.layer_norm(x, (3, 2), eps=1e-3), {"x": normal(2, 3, 2)}),
    Operator("rms_norm", lambda x, w: F.rms_norm(x, (4,), w), {"x": normal(3, 4), "w": normal(4)}),
    Operator("group_norm", lambda x, w, b: F.group_norm(x, 2, w, b), {"x": normal(2, 4, 3), **_AFFINE}),
    Operator("instance_norm", lambda x, w, b: F.instance_norm(x, weight=w, bias=b), {"x": normal(2, 4, 3), **_AFFINE}),
    Operator(
        "batch_norm, training",
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
        {"x": normal(3, 4, 2), **_AFFINE},
    ),
    Operator(
        "batch_norm, evaluation",
        lambda x, w, b: F.batch_norm(x, torch.arange(4).to(x), torch.arange(1, 5).to(x), w, b),
        {"x": normal(3, 4), **_AFFINE},
        waive={"layouts": "the gradient is wrong for a gain with gaps, see batch_norm among the wrong ones"},
    ),
    Operator("local_response_norm", lambda x: F.local_response_norm(x, 2, alpha=0.3, k=0.5), {"x": normal(1, 4, 3)}),
    Operator("attention", lambda q, k, v: F.scaled_dot_product_attention(q, k, v), _ATTENTION),
    Operator("attention, causal", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), _ATTENTION),
    Operator(
        "attention, masked and scaled",
        lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, attn_mask=m, scale=0.7),
        {**_ATTENTION, "m": mask(2, 3, 3)},
    ),
    Operator(
        "attention, bias",
        lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, attn_mask=m),
        {**_ATTENTION, "m": normal(3, 3)},
    ),
    Operator(
        "multi_head_attention",
        lambda x, w, b, o: F.multi_head_attention_forward(
            x, x, x, 4, 2, w, b, None, None, False, 0.0, o, None, training=False
        ),
        {"x": normal(3, 1, 4), "w": normal(12, 4), "b": normal(12), "o": normal(4, 4)},
    ),
    Operator("interpolate, linear", _interpolate(size=7, mode="linear"), {"x": normal(1, 2, 4)}),
    Operator("interpolate, nearest", _interpolate(scale_factor=1.7, mode="nearest"), {"x": normal(1, 2, 5)}),
    Operator("interpolate, bilinear", _interpolate(size=(5, 4), mode="bilinear"), _IMAGE),
    Operator("interpolate, corners", _interpolate(size=(2, 5), mode="bilinear", align_corners=True), _IMAGE),
    Operator("interpolate, antialias", _interpolate(size=(2, 2), mode="bilinear", antialias=True), _IMAGE),
    Operator("interpolate, bicubic", _interpolate(size=(3, 5), mode="bicubic"), _IMAGE),
    Operator("interpolate, area", _interpolate(size=(2, 2), mode="area"), _IMAGE),
    Operator("interpolate, trilinear", _interpolate(size=(2, 3, 3), mode="trilinear"), {"x": normal(1, 1, 3, 2, 2)}),
    Operator("grid_sample", _grid("bilinear", "zeros", False), {**_IMAGE, "g": between(-0.9, 0.9, 1, 2, 3, 2)}),
    Operator("grid_sample, border", _grid("bilinear", "border", True), {**_IMAGE, "g": between(-1.4, 1.4, 1, 2, 3, 2)}),
    Operator(
        "grid_sample, reflection",
        _grid("bicubic", "reflection", False),
        {**_IMAGE, "g": between(-1.4, 1.4, 1, 2, 3, 2)},
    ),
    Operator("grid_sample, nearest", _grid("nearest", "zeros", False), {**_IMAGE, "g": between(-0.9, 0.9, 1, 2, 2, 2)}),
    Operator("affine_grid", lambda t: F.affine_grid(t, (2, 1, 3, 2), align_corners=False), {"t": normal(2, 2, 3)}),
    Operator("embedding", lambda i, w: F.embedding(i, w), {"i": labels(5, 2, 3), "w": normal(5, 3)}),
    Operator(
        "embedding_bag",
        lambda i, w, s: F.embedding_bag(i, w, mode="sum", per_sample_weights=s),
        {"i": labels(4, 3, 2), "w": normal(4, 2), "s": normal(3, 2)},
    ),
    Operator("rnn_tanh_cell", lambda x, h, w, u, b, c: torch.rnn_tanh_cell(x, h, w, u, b, c), _CELL),
    Operator("rnn_relu_cell", lambda x, h, w, u, b, c: torch.rnn_relu_cell(x, h, w, u, b, c), _CELL),
    Operator(
        "gru_cell",
        lambda x, h, w, u, b, c: torch.gru_cell(x, h, w, u, b, c),
        {"x": normal(2, 3), "h": normal(2, 2), "w": normal(6, 3), "u": normal(6, 2), "b": normal(6), "c": normal(6)},
    ),
    Operator("lstm_cell", lambda x, h, s, w, u, b: torch.lstm_cell(x, (h, s), w, u, b, b), _LSTM),
)
