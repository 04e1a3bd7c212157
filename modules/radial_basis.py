"""Radial basis function networks, fused and as the lecture's cascade of four modules."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradcheck.modules.composite import Composite
from gradcheck.modules.graph import Graph, Node
from gradcheck.values.aliases import Array, Saved
from gradcheck.values.declarations import positive, real
from gradcheck.values.module import Example, Module


@dataclass(frozen=True)
class SquaredDistance(Module):
    """Squared distances to centres, a_nj = Σ_d (x_nd - w_jd)².

    Shapes: x (N, D), centres (J, D), a (N, J).

    >>> SquaredDistance().forward(x=np.array([[0.0, 0.0]]), centres=np.array([[3.0, 4.0]]))[0].tolist()
    [[25.0]]
    """

    inputs = {"x": real("N D")}
    parameters = {"centres": real("J D")}
    outputs = {"a": "N J"}
    independent = ("N",)
    examples = (Example({"x": [[0, 0], [3, 3]], "centres": [[3, 4]]}, [[25], [1]]),)

    def forward(self, x: Array, centres: Array) -> tuple[Array, Saved]:
        # Not ‖x‖² - 2 x·w + ‖w‖², which cancels near a centre.
        offsets = x[:, None, :] - centres[None, :, :]
        return (offsets**2).sum(axis=-1), offsets

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a_nj/∂x_nd = 2 (x_nd - w_jd) = -∂a_nj/∂w_jd
        offsets = saved
        common = 2.0 * a_bar[:, :, None] * offsets
        return {"x": common.sum(axis=1), "centres": -common.sum(axis=0)}


@dataclass(frozen=True)
class Decay(Module):
    """Exponential decay a_nj = exp(-β_j x_nj).

    Shapes: x and a (N, J), beta (J,).

    >>> Decay().forward(x=np.array([[np.log(2.0)]]), beta=np.array([2.0]))[0].tolist()
    [[0.25]]
    """

    inputs = {"x": real("N J")}
    parameters = {"beta": positive("J")}
    outputs = {"a": "N J"}
    jacobian = "diagonal"
    examples = (Example({"x": [[0.0, np.log(2.0)]], "beta": [1.0, 2.0]}, [[1.0, 0.25]]),)

    def forward(self, x: Array, beta: Array) -> tuple[Array, Saved]:
        a = np.exp(-beta * x)
        return a, (x, beta, a)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a_nj/∂x_nj = -β_j a_nj,  ∂a_nj/∂β_j = -x_nj a_nj
        x, beta, a = saved
        common = -a_bar * a
        return {"x": common * beta, "beta": (common * x).sum(axis=0)}


@dataclass(frozen=True)
class Scale(Module):
    """Scaling by trainable factors, a_nj = u_j x_nj.

    Shapes: x and a (N, J), u (J,).

    >>> Scale().forward(x=np.array([[1.0, 2.0]]), u=np.array([3.0, 4.0]))[0].tolist()
    [[3.0, 8.0]]
    """

    inputs = {"x": real("N J")}
    parameters = {"u": real("J")}
    outputs = {"a": "N J"}
    jacobian = "diagonal"
    examples = (Example({"x": [[1, 2]], "u": [3, 4]}, [[3, 8]]),)

    def forward(self, x: Array, u: Array) -> tuple[Array, Saved]:
        return x * u, (x, u)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a_nj/∂x_nj = u_j,  ∂a_nj/∂u_j = x_nj
        x, u = saved
        return {"x": a_bar * u, "u": (a_bar * x).sum(axis=0)}


@dataclass(frozen=True)
class Sum(Module):
    """Sum over all units, a_n = Σ_j x_nj.

    Shapes: x (N, J), a (N,).

    >>> Sum().forward(x=np.array([[1.0, 2.0]]))[0].tolist()
    [3.0]
    """

    inputs = {"x": real("N J")}
    outputs = {"a": "N"}
    independent = ("N",)
    examples = (Example({"x": [[1, 2], [3, 4]]}, [3, 7]),)

    def forward(self, x: Array) -> tuple[Array, Saved]:
        return x.sum(axis=1), x.shape

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # ∂a_n/∂x_nj = 1
        shape = saved
        return {"x": np.broadcast_to(a_bar[:, None], shape).copy()}


@dataclass(frozen=True)
class RadialBasisCascade(Composite):
    """RBF network as a cascade: (x - w)² → exp(-βa) → u · a → plus.

    Shapes: x (N, D), centres (J, D), beta and u (J,), a (N,).

    >>> list(RadialBasisCascade().parameters)
    ['centres', 'beta', 'u']
    """

    @property
    def graph(self) -> Graph:
        nodes = {
            "distance": Node(SquaredDistance(), {"x": "x", "centres": "centres"}),
            "decay": Node(Decay(), {"x": "distance", "beta": "beta"}),
            "scale": Node(Scale(), {"x": "decay", "u": "u"}),
            "plus": Node(Sum(), {"x": "scale"}),
        }
        return Graph(nodes, {"a": "plus"})


@dataclass(frozen=True)
class RadialBasisNetwork(Module):
    """RBF network a_n = Σ_j u_j exp(-β_j ‖x_n - w_j‖²), in one module; its reference is the cascade.

    Shapes: x (N, D), centres (J, D), beta and u (J,), a (N,).

    >>> one = np.ones((1, 2))
    >>> RadialBasisNetwork().forward(x=one, centres=one, beta=np.ones(1), u=np.array([3.0]))[0].tolist()
    [3.0]
    """

    inputs = {"x": real("N D")}
    parameters = {"centres": real("J D"), "beta": positive("J"), "u": real("J")}
    outputs = {"a": "N"}
    independent = ("N",)
    examples = (
        Example({"x": [[1, 0]], "centres": [[0, 0], [1, 0]], "beta": [np.log(2.0), 1.0], "u": [4.0, 3.0]}, [5.0]),
    )

    @cached_property
    def reference(self) -> Module:
        return RadialBasisCascade()

    def forward(self, x: Array, centres: Array, beta: Array, u: Array) -> tuple[Array, Saved]:
        offsets = x[:, None, :] - centres[None, :, :]
        distances = (offsets**2).sum(axis=-1)
        units = np.exp(-beta * distances)
        return units @ u, (offsets, distances, units, beta, u)

    def backward(self, saved: Saved, a_bar: Array, /) -> dict[str, Array]:
        # With the unit e_nj = exp(-β_j r_nj) of the squared distance r:  ∂a_n/∂u_j = e_nj,  ∂a_n/∂β_j = -u_j r_nj e_nj,
        # ∂a_n/∂x_nd = -2 Σ_j u_j β_j e_nj (x_nd - w_jd), and for w_jd the same term with the other sign
        offsets, distances, units, beta, u = saved
        weighted = a_bar[:, None] * units * u
        common = -2.0 * (weighted * beta)[:, :, None] * offsets
        return {
            "x": common.sum(axis=1),
            "centres": -common.sum(axis=0),
            "beta": -(weighted * distances).sum(axis=0),
            "u": units.T @ a_bar,
        }
