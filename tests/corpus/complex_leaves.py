"""More complex leaves and outputs, in the convention of complex_numbers: x̄ = ∂L/∂Re x + i ∂L/∂Im x."""

from typing import Any

import numpy as np

from gradcheck.values.aliases import Leaves
from tests.corpus.complex_numbers import CONJUGATE, draw, mixed, specimen
from tests.corpus.linear import MEAN
from tests.corpus.linear import draw as draw_real
from tests.corpus.specimen import Specimen


def reciprocal_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """1 / z: dz = −g conj(1 / z²)."""
    return {"z": -a / np.conj(leaves["z"]) ** 2}


def affine_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """z W + b: dz = g Wᴴ, dW = zᴴ g, db = Σ g."""
    return {"z": a @ np.conj(leaves["w"].T), "w": np.conj(leaves["z"].T) @ a, "b": np.sum(a, axis=0)}


def spectrum_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """|F x|² of a real x: dx = 2 Re F (g conj(F x))."""
    return {"x": 2 * np.real(np.fft.fft(a * np.conj(np.fft.fft(leaves["x"]))))}


def real_weights_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """z W with a real W: dz = g Wᵀ, dW = Re(zᴴ g)."""
    return {"z": a @ leaves["w"].T, "w": np.real(np.conj(leaves["z"].T) @ a)}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    specimen("complex_reciprocal", lambda z: 1 / z, reciprocal_backward, draw(z=(2, 3)),
        ("z", "conjugate forgotten", lambda g, leaves, a: -a / leaves["z"] ** 2, CONJUGATE),
        ("z", "all of it conjugated", lambda g, leaves, a: np.conj(g), CONJUGATE),
        ("z", "minus forgotten", lambda g, leaves, a: -g, ("sign flip",)),
        ("z", "squared modulus for the square", lambda g, leaves, a: -a / np.abs(leaves["z"]) ** 2, ())),
    specimen("complex_affine", lambda z, w, b: z @ w + b, affine_backward, draw(z=(2, 3), w=(3, 4), b=(4,)),
        ("w", "transposed, not conjugated", lambda g, leaves, a: leaves["z"].T @ a, CONJUGATE),
        ("z", "transposed, not conjugated", lambda g, leaves, a: a @ leaves["w"].T, CONJUGATE),
        ("z", "real part", lambda g, leaves, a: np.real(g), ("dtype",)),
        ("b", "mean over the batch", lambda g, leaves, a: g / 2, MEAN),
        ("w", "twice, as of both parts", lambda g, leaves, a: 2 * g, ("constant factor",))),
    specimen("power_spectrum", lambda x: np.abs(np.fft.fft(x)) ** 2, spectrum_backward, draw_real(x=(7,)),
        ("x", "conjugate forgotten", lambda g, leaves, a: 2 * np.real(np.fft.fft(a * np.fft.fft(leaves["x"]))),
            ("permuted",)),
        ("x", "2 of the square forgotten", lambda g, leaves, a: g / 2, ("constant factor",)),
        ("x", "inverse without its length", lambda g, leaves, a: g / 7, MEAN),
        ("x", "complex gradient", lambda g, leaves, a: 2 * np.fft.fft(a * np.conj(np.fft.fft(leaves["x"]))),
            ("dtype",))),
    specimen("real_weights_on_complex", lambda z, w: z @ w, real_weights_backward,
        mixed(draw_real(w=(3, 4)), draw(z=(2, 3))),
        ("w", "complex gradient", lambda g, leaves, a: np.conj(leaves["z"].T) @ a, ("dtype",)),
        ("w", "imaginary part for the real one", lambda g, leaves, a: np.imag(np.conj(leaves["z"].T) @ a), ()),
        ("w", "last sample left out", lambda g, leaves, a: np.real(np.conj(leaves["z"][:-1].T) @ a[:-1]),
            ("missing terms", "block wrong")),
        ("z", "twice, as of both parts", lambda g, leaves, a: 2 * g, ("constant factor",))),
)
# fmt: on
