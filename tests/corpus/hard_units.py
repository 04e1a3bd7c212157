"""Correct but hard: formulas of physics in SI units, where every leaf and every output has a scale of its own."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves
from tests.corpus.hard_scales import around, draws, elementwise, quiet, wrong_slope
from tests.corpus.specimen import Bug, Point, Specimen, changed


def power_law_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """y = c x^p: dc = g x^p, dx = g c p x^(p−1), dp = g y ln x."""
    c, x, p = leaves["c"], leaves["x"], leaves["p"]
    return {"c": a * x**p, "x": a * c * p * x ** (p - 1), "p": a * c * x**p * np.log(x)}


def power_law_point(generator: np.random.Generator) -> Point:
    c, x = draws(c=(1e-3, 1e3, 7), x=(1e-6, 1e-2, 7))(generator).values()
    return {
        "c": c,
        "x": np.where(np.arange(7) % 2, x, 1 / x),
        "p": generator.uniform(1.2, 2.5, 7) * [1, 1, -1, -1, 1, 1, -1],
    }


G, R, K = 6.674e-11, 8.314, 8.988e9


def gravity_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """F = G m M / r²."""
    m, M, r = leaves["m"], leaves["M"], leaves["r"]
    return {"m": a * G * M / r**2, "M": a * G * m / r**2, "r": -2 * a * G * m * M / r**3}


def arrhenius_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """k = A exp(−E / R T)."""
    A, E, T = leaves["A"], leaves["E"], leaves["T"]
    e = np.exp(-E / (R * T))
    return {"A": a * e, "E": -a * A * e / (R * T), "T": a * A * e * E / (R * T**2)}


PAIRS = np.triu_indices(4, 1)


def distances(r: Array) -> tuple[Array, Array]:
    d = r[PAIRS[0]] - r[PAIRS[1]]
    return d, np.sqrt(np.sum(d**2, axis=1))


@quiet
def coulomb(r: Array, q: Array) -> Any:
    """Energy of point charges, in SI units."""
    return np.sum(K * q[PAIRS[0]] * q[PAIRS[1]] / distances(r)[1])


def coulomb_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    q, (d, n), (i, j) = leaves["q"], distances(leaves["r"]), PAIRS
    dr, dq = np.zeros((4, 3)), np.zeros(4)
    pull = -(K * q[i] * q[j] / n**3)[:, None] * d
    np.add.at(dr, i, pull)
    np.add.at(dr, j, -pull)
    np.add.at(dq, i, K * q[j] / n)
    np.add.at(dq, j, K * q[i] / n)
    return {"r": a * dr, "q": a * dq}


def charges(generator: np.random.Generator) -> Point:
    corners = np.array([[0, 0, 0], [1, 0, 0.2], [0.3, 1, 0], [0, 0.4, 1]])
    q = generator.uniform(1, 2, 4) * [1.6e-19, -1.6e-19, 1.6e-19, -3.2e-19]
    return {"r": 2e-10 * (corners + generator.uniform(-0.1, 0.1, (4, 3))), "q": q}


def bond(r: Array) -> Any:
    """½ k (|r₁ − r₂| − r₀)²."""
    return 250.0 * (np.sqrt(np.sum((r[0] - r[1]) ** 2)) - 1.1e-10) ** 2


def bond_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    d = leaves["r"][0] - leaves["r"][1]
    n = np.sqrt(np.sum(d**2))
    pull = a * 500.0 * (n - 1.1e-10) * d / n
    return {"r": np.stack([pull, -pull])}


def spectrum_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    nm = leaves["nm"]
    return {"nm": 1e-9 * a["metres"] - 299792458e9 * a["hertz"] / nm**2}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    elementwise("hours_since_start", lambda t: np.tanh((t - 1.7e9) / 3600), lambda t: 1 / np.cosh((t - 1.7e9) / 3600)
        ** 2 / 3600, lambda g: {"x": 1.7e9 + g.uniform(-4000, 4000, 6)}, "time stamps of 1.7e9 s, a scale of hours",
        wrong_slope("not divided by the unit", lambda t: 1 / np.cosh((t - 1.7e9) / 3600) ** 2, "constant factor")),
    elementwise("radiation", lambda x: 5.67e-8 * x**4, lambda x: 4 * 5.67e-8 * x**3, around([3, 300, 6e3, 1e6]),
        "kelvins from 3 to 1e6, watts from 1e-6 to 1e17",
        wrong_slope("exponent kept", lambda x: 4 * 5.67e-8 * x**4, "extra factor")),
    Specimen("power_law", "scales", quiet(lambda c, x, p: c * x**p), power_law_backward, power_law_point,
        (Bug("exponent not lowered", changed(power_law_backward, "x", lambda g, leaves, a: g * leaves["x"]),
             ("x",), ("extra factor",)),), "bases from 1e-6 to 1e6 with exponents from −2.5 to 2.5"),
    Specimen("gravity", "scales", quiet(lambda m, M, r: G * m * M / r**2), gravity_backward,
        draws(m=(1e20, 1e24, 5), M=(1e24, 1e30, 5), r=(1e6, 1e12, 5)),
        (Bug("divided by r² only", changed(gravity_backward, "r", lambda g, leaves, a: g * leaves["r"]),
             ("r",), ("extra factor",)),), "masses of 1e30, a constant of 1e-11"),
    Specimen("arrhenius", "scales", quiet(lambda A, E, T: A * np.exp(-E / (R * T))), arrhenius_backward,
        draws(A=(1e9, 1e14, 5), E=(3e4, 1e5, 5), T=(300, 1500, 5)),
        (Bug("sign of the energy", changed(arrhenius_backward, "E", lambda g, leaves, a: -g), ("E",), ("sign flip",)),),
        "rates from 1e-6 to 1e14 in one output"),
    Specimen("coulomb_energy", "scales", coulomb, coulomb_backward, charges,
        (Bug("each pair counted twice", changed(coulomb_backward, "r", lambda g, leaves, a: 2 * g),
             ("r",), ("constant factor",)),), "coordinates of 1e-10, charges of 1e-19"),
    Specimen("bond_energy", "scales", bond, bond_backward, lambda g: {"r": 1e-10 * (
        np.array([[0.5, 0.6, 0.7], [-0.4, -0.3, -0.5]]) + g.uniform(-0.1, 0.1, (2, 3)))},
        (Bug("second atom pulled the same way", changed(bond_backward, "r", lambda g, leaves, a: g * [[1], [-1]]),
             ("r",), ("block wrong",)),), "coordinates of 1e-10, an energy of 1e-19"),
    Specimen("wavelength", "scales", quiet(lambda nm: {"metres": 1e-9 * nm, "hertz": 299792458e9 / nm}),
        spectrum_backward, lambda g: {"nm": g.uniform(400, 700, 4)}, (), "one output of 1e-7, another of 1e15"),
)
# fmt: on
