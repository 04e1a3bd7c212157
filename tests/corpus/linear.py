"""Products of matrices and tensors: affine maps, convolution, attention, recurrence, residual and tied layers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves, Shape
from tests.corpus.elementwise import swapped
from tests.corpus.specimen import Backward, Bug, Forward, Point, Specimen, changed

Draw = Callable[[np.random.Generator], Point]
Change = Callable[[Any, Leaves, Any], Any]
Row = tuple[str, str, Change, tuple[str, ...]] | tuple[str, str, Change, tuple[str, ...], str]

MEAN, LOST = ("constant factor", "mean for sum"), ("missing terms", "block wrong")


def draw(**shapes: Shape) -> Draw:
    """Magnitudes between 0.4 and 1.6 of random signs, so that no bug hides behind a zero."""
    return lambda g: {k: np.asarray(g.uniform(0.4, 1.6, s) * g.choice([-1, 1], s)) for k, s in shapes.items()}


def distorted(backward: Backward, change: Callable[[Any], Any]) -> Backward:
    """The backward of another cotangent."""
    return lambda leaves, a: backward(leaves, change(a))


def specimen(
    name: str, forward: Forward, backward: Backward, point: Draw, *bugs: Row | Bug, kind: str = "values"
) -> Specimen:
    """The rows are (leaf, title, change of its gradient, causes, perhaps a source)."""
    made = (
        b if isinstance(b, Bug) else Bug(b[1], changed(backward, b[0], b[2]), (b[0],), b[3], source="".join(b[4:]))
        for b in bugs
    )
    return Specimen(name, kind, forward, backward, point, tuple(made))


def affine_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a @ leaves["w"].T, "w": leaves["x"].T @ a, "b": np.sum(a, axis=0)}


def bilinear_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y_nk = x_n W_k z_n."""
    x, w, z = leaves["x"], leaves["w"], leaves["z"]
    dx, dz = np.einsum("nk,kij,nj->ni", a, w, z), np.einsum("nk,kij,ni->nj", a, w, x)
    return {"x": dx, "w": np.einsum("nk,ni,nj->kij", a, x, z), "z": dz}


def quadratic_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y_n = x_n M x_n: dx = g (M + Mᵀ) x, dM = Σ g x xᵀ."""
    x, m = leaves["x"], leaves["m"]
    return {"x": a[:, None] * (x @ m + x @ m.T), "m": (a[:, None] * x).T @ x}


def product_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"left": a @ leaves["right"].swapaxes(1, 2), "right": leaves["left"].swapaxes(1, 2) @ a}


def factors_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y_ij = Σ_r u_ir v_jr s_r."""
    u, v, s = leaves["u"], leaves["v"], leaves["s"]
    return {"u": a @ (v * s), "v": a.T @ (u * s), "s": np.einsum("ij,ir,jr->r", a, u, v)}


def windows(x: Array) -> Any:
    """Windows of 3 at stride 2, padding 1."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1))), 3, axis=2)[:, :, ::2]


def conv1d(x: Array, w: Array, b: Array) -> Any:
    return np.einsum("nctk,ock->not", windows(x), w) + b[:, None]


def conv1d_input(w: Array, a: Any, pad: int = 1, stride: int = 2) -> Any:
    g = np.zeros((2, 2, 9))
    for k in range(3):
        g[:, :, k : k + 3 * stride + 1 : stride] += np.einsum("not,oc->nct", a, w[:, :, k])
    return g[:, :, pad : pad + 7]


def conv1d_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    w = np.einsum("nctk,not->ock", windows(leaves["x"]), a)
    return {"x": conv1d_input(leaves["w"], a), "w": w, "b": np.sum(a, axis=(0, 2))}


def patches(x: Array) -> Any:
    """Patches of 2 x 3 at strides 1 and 2, padding 0 and 1."""
    padded = np.pad(x, ((0, 0), (0, 0), (0, 0), (1, 1)))
    return np.lib.stride_tricks.sliding_window_view(padded, (2, 3), axis=(2, 3))[:, :, :, ::2]


def conv2d(x: Array, w: Array) -> Any:
    return np.einsum("nchvrk,ocrk->nohv", patches(x), w)


def conv2d_backward(leaves: Leaves, a: Any, add: bool = True) -> dict[str, Any]:
    w, g = leaves["w"], np.zeros((2, 1, 4, 7))
    for h, v in np.ndindex(3, 3):
        patch = g[:, :, h : h + 2, 2 * v : 2 * v + 3]
        patch[...] = np.einsum("no,ocrk->ncrk", a[:, :, h, v], w) + add * patch
    return {"x": g[..., 1:-1], "w": np.einsum("nchvrk,nohv->ocrk", patches(leaves["x"]), a)}


def attended(q: Array, k: Array, mask: Any) -> Any:
    e = np.exp(q @ k.T / np.sqrt(3)) * mask
    return e / np.sum(e, axis=1, keepdims=True)


def attention(q: Array, k: Array, v: Array, mask: Any) -> Any:
    return attended(q, k, mask) @ v


def attention_backward(leaves: Leaves, a: Any, axis: int = 1, centred: bool = True) -> dict[str, Any]:
    """dS = P (dP − Σ P dP), the sum over the keys."""
    q, k, v = leaves["q"], leaves["k"], leaves["v"]
    p, dp = attended(q, k, leaves["mask"]), a @ v.T
    ds = p * (dp - centred * np.sum(p * dp, axis=axis, keepdims=True)) / np.sqrt(3)
    return {"q": ds @ k, "k": ds.T @ q, "v": p.T @ a}


def attention_point(generator: np.random.Generator) -> Point:
    return {**draw(q=(2, 3), k=(4, 3), v=(4, 3))(generator), "mask": np.array([[1, 1, 0, 1], [1, 1, 1, 0]])}


def states(x: Array, wx: Array, wh: Array, b: Array, h0: Array) -> Any:
    h = [h0]
    for step in x:
        h.append(np.tanh(step @ wx + h[-1] @ wh + b))
    return np.stack(h)


def recurrent_backward(leaves: Leaves, a: Any, carried: bool = True, power: int = 2, now: int = 0) -> dict[str, Any]:
    """Back through time; the wrong versions cut the state, take 1 − h for the slope, or the new state for the old."""
    h, x = states(**leaves), leaves["x"]
    g, back = {name: np.zeros_like(leaf) for name, leaf in leaves.items()}, np.zeros(3)
    for t in range(3, -1, -1):
        z = (a[t] + carried * back) * (1 - h[t + 1] ** power)
        back, g["x"][t] = z @ leaves["wh"].T, z @ leaves["wx"].T
        g["wx"] += np.outer(x[t], z)
        g["wh"] += np.outer(h[t + now], z)
        g["b"] += z
    return {**g, "h0": back}


def recurrent_point(generator: np.random.Generator) -> Point:
    return {k: 0.6 * v for k, v in draw(x=(4, 2), wx=(2, 3), wh=(3, 3), b=(3,), h0=(3,))(generator).items()}


def residual_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = x + tanh(x W) V."""
    x, w, v = leaves["x"], leaves["w"], leaves["v"]
    h = np.tanh(x @ w)
    z = (a @ v.T) * (1 - h**2)
    return {"x": a + z @ w.T, "w": x.T @ z, "v": h.T @ a}


def tied_backward(leaves: Leaves, a: Any, encoder: int = 1, decoder: int = 1) -> dict[str, Any]:
    """y = tanh(x W) Wᵀ: W is used twice."""
    x, w = leaves["x"], leaves["w"]
    h = np.tanh(x @ w)
    z = (a @ w) * (1 - h**2)
    return {"x": z @ w.T, "w": encoder * x.T @ z + decoder * a.T @ h}


RECURRENT = ("x", "wx", "wh", "b", "h0")


def cotangent(title: str, change: Callable[[Any], Any], *causes: str, source: str = "") -> Bug:
    return Bug(title, distorted(affine_backward, change), ("x", "w", "b"), causes, "cotangent", source)


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    specimen("affine", lambda x, w, b: x @ w + b, affine_backward, draw(x=(4, 3), w=(3, 5), b=(5,)),
        ("b", "mean over the batch", lambda g, leaves, a: np.mean(a, axis=0), MEAN),
        ("w", "divided by the batch", lambda g, leaves, a: g / 4, MEAN),
        ("b", "times the batch", lambda g, leaves, a: 4 * g, ("constant factor", "sum for mean")),
        ("w", "last sample left out", lambda g, leaves, a: leaves["x"][:-1].T @ a[:-1], LOST),
        ("w", "first sample only", lambda g, leaves, a: np.outer(leaves["x"][0], a[0]), ("missing terms",)),
        ("w", "weight decay added", lambda g, leaves, a: g + 0.01 * leaves["w"], ("constant added",)),
        cotangent("ones for the cotangent", np.ones_like, "cotangent ignored", "constant added",
                  source="ashawkey/stable-dreamfusion#158"),
        cotangent("clipped at 1", lambda a: np.clip(a, -1, 1), "cotangent distorted"),
        cotangent("absolute value", np.abs, "cotangent distorted"),
        cotangent("squared", np.square, "cotangent distorted"),
        cotangent("norm 1", lambda a: a / (np.linalg.norm(a) or 1), "cotangent ignored", "cotangent distorted")),
    specimen("bilinear", lambda x, w, z: np.einsum("ni,kij,nj->nk", x, w, z), bilinear_backward,
        draw(x=(2, 3), w=(3, 3, 4), z=(2, 4)),
        ("w", "z missing", lambda g, leaves, a: np.einsum("nk,ni->ki", a, leaves["x"])[:, :, None] + 0 * g,
            ("missing factor",)),
        ("w", "mean over the batch", lambda g, leaves, a: g / 2, MEAN),
        ("z", "last kernel left out", lambda g, leaves, a: bilinear_backward(leaves, a * [1, 1, 0])["z"], LOST)),
    specimen("quadratic_form", lambda x, m: np.sum(x @ m * x, axis=1), quadratic_backward, draw(x=(3, 4), m=(4, 4)),
        ("x", "symmetry assumed", lambda g, leaves, a: 2 * a[:, None] * (leaves["x"] @ leaves["m"]), ()),
        ("x", "second path forgotten", lambda g, leaves, a: a[:, None] * (leaves["x"] @ leaves["m"]), ()),
        ("m", "doubled as x is used twice", lambda g, leaves, a: 2 * g, ("constant factor",)),
        ("m", "upper triangle only", lambda g, leaves, a: np.triu(g), ("missing terms",))),
    specimen("batched_product", lambda left, right: left @ right, product_backward,
        draw(left=(2, 3, 4), right=(2, 4, 3)),
        ("right", "first matrix for all", lambda g, leaves, a: leaves["left"][:1].swapaxes(1, 2) @ a, ("block wrong",)),
        ("left", "batch reversed", lambda g, leaves, a: g[::-1], ("permuted",)),
        ("left", "first matrix only", lambda g, leaves, a: g * [[[1]], [[0]]], LOST)),
    specimen("three_factors", lambda u, v, s: np.einsum("ir,jr,r->ij", u, v, s), factors_backward,
        draw(u=(3, 2), v=(4, 2), s=(2,)),
        ("u", "s missing", lambda g, leaves, a: a @ leaves["v"], ("missing factor",)),
        ("v", "s squared", lambda g, leaves, a: g * leaves["s"], ("extra factor",)),
        ("s", "mean over the entries", lambda g, leaves, a: g / 12, MEAN),
        ("s", "diagonal", lambda g, leaves, a: factors_backward(leaves, a * np.eye(3, 4))["s"], ("missing terms",))),
    specimen("conv1d", conv1d, conv1d_backward, draw(x=(2, 2, 7), w=(3, 2, 3), b=(3,)),
        ("w", "kernel reversed", lambda g, leaves, a: g[:, :, ::-1], ("permuted",)),
        ("w", "last position left out", lambda g, leaves, a: conv1d_backward(leaves, a * [1, 1, 1, 0])["w"], LOST),
        ("x", "kernel reversed", lambda g, leaves, a: conv1d_input(leaves["w"][:, :, ::-1], a), ()),
        ("x", "stride missing", lambda g, leaves, a: conv1d_input(leaves["w"], a, stride=1), (),
            "Kulbear/deep-learning-coursera#34"),
        ("x", "padding cut off at one end", lambda g, leaves, a: conv1d_input(leaves["w"], a, pad=0), ("permuted",)),
        ("b", "mean over batch and length", lambda g, leaves, a: np.mean(a, axis=(0, 2)), MEAN)),
    specimen("conv2d", conv2d, conv2d_backward, draw(x=(2, 1, 4, 5), w=(2, 1, 2, 3)),
        ("x", "overlaps overwritten", lambda g, leaves, a: conv2d_backward(leaves, a, add=False)["x"],
            ("missing terms",)),
        ("x", "last channel left out", lambda g, leaves, a: conv2d_backward(leaves, a * [[[1]], [[0]]])["x"], LOST),
        ("w", "kernel turned", lambda g, leaves, a: g[:, :, ::-1, ::-1], ("permuted",)),
        ("w", "first sample only", lambda g, leaves, a: conv2d_backward(leaves, a * [[[[1]]], [[[0]]]])["w"], LOST)),
    specimen("attention", attention, attention_backward, attention_point,
        Bug("keys and values exchanged", swapped(attention_backward, "k", "v"), ("k", "v"), ("swapped leaves",)),
        Bug("row term forgotten", partial(attention_backward, centred=False), ("q", "k")),
        Bug("row term over the queries", partial(attention_backward, axis=0), ("q", "k"), kind="axes"),
        ("q", "scale forgotten", lambda g, leaves, a: g * np.sqrt(3), ("constant factor",)),
        ("v", "mask forgotten", lambda g, leaves, a: attended(leaves["q"], leaves["k"], 1).T @ a, ()),
        ("v", "mean over the queries", lambda g, leaves, a: g / 2, MEAN),
        ("k", "last key left out", lambda g, leaves, a: g * [[1], [1], [1], [0]], LOST)),
    specimen("recurrence", lambda **leaves: states(**leaves)[1:], recurrent_backward, recurrent_point,
        Bug("state cut at every step", partial(recurrent_backward, carried=False), RECURRENT),
        Bug("1 − h for the slope", partial(recurrent_backward, power=1), RECURRENT),
        ("wh", "new state for the old", lambda g, leaves, a: recurrent_backward(leaves, a, now=1)["wh"], ()),
        ("h0", "initial state not trained", lambda g, leaves, a: 0 * g, ("detached",)),
        ("b", "mean over the steps", lambda g, leaves, a: g / 4, MEAN)),
    specimen("residual", lambda x, w, v: x + np.tanh(x @ w) @ v, residual_backward, draw(x=(3, 4), w=(4, 2), v=(2, 4)),
        ("x", "skip forgotten", lambda g, leaves, a: g - a, ()),
        ("x", "branch forgotten", lambda g, leaves, a: a, ()),
        ("w", "branch detached", lambda g, leaves, a: 0 * g, ("detached",)),
        ("v", "taken before the tanh", lambda g, leaves, a: (leaves["x"] @ leaves["w"]).T @ a, ())),
    specimen("tied_weights", lambda x, w: np.tanh(x @ w) @ w.T, tied_backward, draw(x=(3, 4), w=(4, 2)),
        Bug("second use overwrites the first", partial(tied_backward, encoder=0), ("w",), source="apache/mxnet#17989"),
        Bug("first use only", partial(tied_backward, decoder=0), ("w",)),
        ("w", "mean over the batch", lambda g, leaves, a: g / 3, MEAN)),
)
# fmt: on
