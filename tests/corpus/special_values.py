"""Repeated indices, zeros, masks, empty rows, negative bases, inactive branches."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.specimen import Bug, Point, Specimen, changed

TOKENS = np.array([1, 3, 1, 0, 1, 4])
GROUPS = np.array([0, 2, 0, 3, 2, 0, 4])


def embedding_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    g = np.zeros_like(leaves["table"])
    np.add.at(g, leaves["tokens"], a)
    return {"table": g}


def embedding_assigned(leaves: Leaves, a: Any) -> dict[str, Any]:
    """The last of several equal tokens wins."""
    g = np.zeros_like(leaves["table"])
    g[leaves["tokens"]] += a
    return {"table": g}


def counts(groups: Array) -> Array:
    return np.maximum(np.bincount(groups, minlength=5), 1)[:, None]


def group_mean(x: Array, groups: Array) -> Array:
    total = np.zeros((5, x.shape[1]))
    np.add.at(total, groups, x)
    return np.asarray(total / counts(groups))


def group_mean_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": (a / counts(leaves["groups"]))[leaves["groups"]]}


def overwrite(x: Array, new: Array, where: Array) -> Array:
    y = x.copy()
    y[where] = new
    return y


def overwrite_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """The overwritten rows of x have no gradient; where a row is written twice, only the last one has."""
    where = leaves["where"]
    last = np.array([index not in where[k + 1 :] for k, index in enumerate(where)])
    return {"x": a * ~np.isin(np.arange(5), where)[:, None], "new": a[where] * last[:, None]}


def overwrite_point(generator: np.random.Generator) -> Point:
    return {"x": generator.normal(size=(5, 2)), "new": generator.normal(size=(3, 2)), "where": np.array([3, 1, 3])}


def root_or_line_backward(leaves: Leaves, a: Any, unselected: float = 1) -> dict[str, Any]:
    """y = √x where x > 0, else x / 10."""
    x = leaves["x"]
    root = 0.5 / np.sqrt(np.where(x > 0, x, unselected))
    return {"x": a * ((x > 0) * root + (x <= 0) * 0.1)}


def others(x: Array) -> Array:
    """Product of the other entries of each row."""
    return np.stack([np.prod(np.delete(x, k, axis=1), axis=1) for k in range(x.shape[1])], axis=1)


def product_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": a[:, None] * others(leaves["x"])}


def divided_product(leaves: Leaves, a: Any, at_zero: float) -> dict[str, Any]:
    """y / x."""
    x = leaves["x"]
    ratio = np.divide(np.prod(x, axis=1, keepdims=True), x, where=x != 0, out=np.full_like(x, at_zero))
    return {"x": a[:, None] * ratio}


def one_and_two_zeros(generator: np.random.Generator) -> Point:
    x = generator.uniform(0.5, 1.5, (3, 4)) * [1, -1, -1, 1]
    x[1, 2], x[2, [0, 3]] = 0, 0
    return {"x": x}


def running_product_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx_i = p_i r_i with p_i = x_0 … x_i−1 and r_i = g_i + x_i+1 r_i+1: no division."""
    x, g = leaves["x"], np.empty_like(leaves["x"])
    before = np.cumprod(np.append(1, x[:-1]))
    rest = 0.0
    for i in reversed(range(len(x))):
        rest = a[i] + (x[i + 1] * rest if i + 1 < len(x) else 0)
        g[i] = before[i] * rest
    return {"x": g}


def masked_mean(x: Array, mask: Array) -> Array:
    return np.asarray(np.sum(x * mask, axis=1) / np.maximum(np.sum(mask, axis=1), 1))


def masked_mean_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    mask = leaves["mask"]
    return {"x": (a / np.maximum(np.sum(mask, axis=1), 1))[:, None] * mask}


def masked_point(generator: np.random.Generator) -> Point:
    mask = np.arange(5) < np.array([[3], [0], [5], [1]])
    return {"x": generator.normal(size=(4, 5)), "mask": generator.permuted(mask, axis=1)}


def window_max_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """Windows [0, 3), [2, 5), [4, 7): the largest entry may be shared."""
    g = np.zeros(7)
    np.add.at(g, np.arange(0, 6, 2) + winners(leaves["x"]), a)
    return {"x": g}


def winners(x: Array) -> Array:
    return np.asarray(np.argmax(np.stack([x[0:3], x[2:5], x[4:7]]), axis=1))


def window_max_assigned(leaves: Leaves, a: Any) -> dict[str, Any]:
    g = np.zeros(7)
    g[np.arange(0, 6, 2) + winners(leaves["x"])] = a
    return {"x": g}


def window_max_unshifted(leaves: Leaves, a: Any) -> dict[str, Any]:
    g = np.zeros(7)
    np.add.at(g, winners(leaves["x"]), a)
    return {"x": g}


def shared_peak(generator: np.random.Generator) -> Point:
    return {"x": generator.uniform(-0.2, 0.2, 7) + np.array([0, 0.5, 1.5, 0.5, 0, 2, 0.5])}


def sinc_backward(leaves: Leaves, a: Any, at_zero: float = 0) -> dict[str, Any]:
    """y = sin x / x: dx = g (cos x − y) / x, and 0 at 0."""
    x = leaves["x"]
    slope = np.divide(np.cos(x) - np.sinc(x / np.pi), x, where=x != 0, out=np.full_like(x, at_zero))
    return {"x": a * slope}


def fourth_power_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"x": 4 * a * leaves["x"] ** 3}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    Specimen("embedding", "special values", lambda table, tokens: table[tokens], embedding_backward,
        lambda generator: {"table": generator.normal(size=(5, 3)), "tokens": TOKENS},
        (Bug("repeated tokens overwrite", embedding_assigned, ("table",), ("missing terms", "block wrong"),
             source="ooples/AiDotNet.Tensors#894"),
         Bug("divided by the number of occurrences", changed(embedding_backward, "table", lambda g, leaves, a:
             g / np.maximum(np.bincount(leaves["tokens"], minlength=5), 1)[:, None]), ("table",), ("block wrong",)),
         Bug("token 0 taken for padding", changed(embedding_backward, "table", lambda g, leaves, a:
             g * (np.arange(5) > 0)[:, None]), ("table",), ("missing terms", "block wrong"),
             source="pytorch/pytorch#93950"))),
    Specimen("group_mean", "special values", group_mean, group_mean_backward,
        lambda generator: {"x": generator.normal(size=(7, 2)), "groups": GROUPS},
        (Bug("group sizes forgotten", lambda leaves, a: {"x": a[leaves["groups"]]}, ("x",)),
         Bug("last group left out", lambda leaves, a: group_mean_backward(leaves, a * (np.arange(5) < 4)[:, None]),
             ("x",), ("missing terms", "block wrong"), "tails"),
         Bug("groups shifted by one", lambda leaves, a: group_mean_backward(leaves, np.roll(a, 1, axis=0)), ("x",)))),
    Specimen("overwrite_rows", "special values", overwrite, overwrite_backward, overwrite_point,
        (Bug("overwritten rows keep their gradient", changed(overwrite_backward, "x", lambda g, leaves, a: 1.0 * a),
             ("x",), ("extra terms",), source="PaddlePaddle/Paddle#30604"),
         Bug("both writers of a row get the gradient", changed(overwrite_backward, "new",
             lambda g, leaves, a: a[leaves["where"]]), ("new",), ("extra terms", "block wrong"),
             source="pytorch/pytorch#146299"))),
    Specimen("root_or_line", "special values", lambda x: np.where(x > 0, np.sqrt(np.maximum(x, 0)), x / 10),
        root_or_line_backward, lambda generator: {"x": generator.uniform(0.3, 2, (2, 4)) * [1, -1, -1, 1]},
        (Bug("inactive root multiplied by 0", lambda leaves, a: root_or_line_backward(leaves, a, np.nan),
             ("x",), ("nan", "one branch"), source="jax-ml/jax#347"),
         Bug("inactive line added", changed(root_or_line_backward, "x", lambda g, leaves, a:
             g + 0.1 * a * (leaves["x"] > 0)), ("x",), ("one branch",)))),
    Specimen("row_product", "special values", lambda x: np.prod(x, axis=1), product_backward, one_and_two_zeros,
        (Bug("output over input", lambda leaves, a: divided_product(leaves, a, np.nan), ("x",), ("nan",),
             source="tinygrad/tinygrad#17404"),
         Bug("output over input, 0 where the input is 0", lambda leaves, a: divided_product(leaves, a, 0.0),
             ("x",), ("missing terms", "block wrong", "one entry wrong"), source="apache/mxnet#18078"))),
    Specimen("running_product", "special values", lambda x: np.cumprod(x), running_product_backward,
        lambda generator: {"x": generator.uniform(0.5, 1.5, 6) * [1, -1, 0, 1, -1, 1]},
        (Bug("division skipped at 0", changed(running_product_backward, "x",
             lambda g, leaves, a: g * (leaves["x"] != 0)), ("x",),
             ("missing terms", "block wrong", "one entry wrong"), source="tensorflow/tensorflow#119430"),
         Bug("later outputs forgotten", lambda leaves, a: {"x": a * np.cumprod(np.append(1, leaves["x"][:-1]))},
             ("x",), ("missing terms",)))),
    Specimen("masked_mean", "special values", masked_mean, masked_mean_backward, masked_point,
        (Bug("divided by the length of the row", lambda leaves, a: {"x": a[:, None] * leaves["mask"] / 5}, ("x",)),
         Bug("masked entries too", lambda leaves, a: {"x": np.repeat(
             (a / np.maximum(np.sum(leaves["mask"], axis=1), 1))[:, None], 5, axis=1)}, ("x",), ("extra terms",)),
         Bug("0 / 0 in the empty row", changed(masked_mean_backward, "x", lambda g, leaves, a: np.where(
             leaves["mask"].any(axis=1, keepdims=True), g, np.nan)), ("x",), ("nan", "block wrong")))),
    Specimen("overlapping_max", "special values", lambda x: np.max(np.stack([x[0:3], x[2:5], x[4:7]]), axis=1),
        window_max_backward, shared_peak,
        (Bug("shared entry overwritten", window_max_assigned, ("x",),
             ("missing terms", "block wrong", "one entry wrong")),
         Bug("offset of the window forgotten", window_max_unshifted, ("x",), ("permuted",)))),
    Specimen("sinc", "special values", lambda x: np.sinc(x / np.pi), sinc_backward,
        lambda generator: {"x": generator.permutation(generator.uniform(0.5, 2.5, 7) * [1, -1, 1, -1, 1, 0, -1])},
        (Bug("0 / 0 at 0", lambda leaves, a: sinc_backward(leaves, a, np.nan), ("x",),
             ("nan", "block wrong", "one entry wrong")),
         Bug("slope 1 at 0", lambda leaves, a: sinc_backward(leaves, a, 1.0), ("x",),
             ("extra terms", "block wrong", "one entry wrong")))),
    Specimen("fourth_power", "special values", lambda x: x**4, fourth_power_backward,
        lambda generator: {"x": generator.uniform(0.4, 1.5, (2, 5)) * [1, -1, 0, -1, 1]},
        (Bug("power of the magnitude", changed(fourth_power_backward, "x", lambda g, leaves, a: np.abs(leaves["x"]) ** 3
             * 4 * a), ("x",), ("one branch",)),
         Bug("infinite for negative bases", changed(fourth_power_backward, "x", lambda g, leaves, a:
             np.where(leaves["x"] < 0, np.inf, g)), ("x",), ("nan", "one branch"),
             source="tenstorrent/tt-metal#54440"))),
)
# fmt: on
