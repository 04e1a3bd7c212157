"""Complex leaves and outputs: x̄ = ∂L/∂Re x + i ∂L/∂Im x, where L = Re Σ conj(ḡ) y.

A holomorphic function hence pulls g back to g conj(f′), and a real leaf gets the real part.
"""

from functools import partial
from typing import Any

import numpy as np

from gradcheck.values.aliases import Array, Leaves, Shape
from tests.corpus.constants import Draw
from tests.corpus.linear import Row
from tests.corpus.linear import draw as draw_real
from tests.corpus.linear import specimen as ordinary
from tests.corpus.specimen import Backward, Bug, Forward, Specimen

CONJUGATE = ("conjugate",)


def specimen(name: str, forward: Forward, backward: Backward, point: Draw, *bugs: Row | Bug) -> Specimen:
    return ordinary(name, forward, backward, point, *bugs, kind="complex")


def draw(**shapes: Shape) -> Draw:
    """Real and imaginary parts between 0.4 and 1.6 of random signs."""
    real = draw_real(**shapes)
    return lambda g: {k: v + 1j * w for (k, v), w in zip(real(g).items(), real(g).values(), strict=True)}


def mixed(real: Draw, complex_: Draw) -> Draw:
    return lambda g: {**real(g), **complex_(g)}


def square_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"z": 2 * a * np.conj(leaves["z"])}


def modulus_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"z": a * leaves["z"] / np.abs(leaves["z"])}


def angle_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dz = i g z / |z|²."""
    return {"z": 1j * a * leaves["z"] / np.abs(leaves["z"]) ** 2}


def product_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    return {"z": a @ np.conj(leaves["w"].T), "w": np.conj(leaves["z"].T) @ a}


def quotient_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """z / w: dz = g / conj(w), dw = −g conj(z / w²)."""
    z, w = leaves["z"], leaves["w"]
    return {"z": a / np.conj(w), "w": -a * np.conj(z / w**2)}


def transform_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """The adjoint of the transform is the inverse one, times its length."""
    return {"z": np.fft.ifft(a) * a.shape[-1]}


def real_transform_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """Re Σ g_k e^(2πi k n / N), over the half of the frequencies that there are."""
    return {"x": np.real(np.fft.ifft(a, 7) * 7)}


def scaled_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """r z, one real number a row."""
    r, z = leaves["r"], leaves["z"]
    return {"r": np.sum(np.real(a * np.conj(z)), axis=1, keepdims=True), "z": r * a}


def real_part_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """Re(z w)."""
    return {"z": a * np.conj(leaves["w"]), "w": a * np.conj(leaves["z"])}


def polar_backward(leaves: Leaves, a: Any, sign: int = 1) -> dict[str, Any]:
    """r e^(iθ): dr = Re(g e^(−iθ)), dθ = r Im(g e^(−iθ))."""
    turned = a * np.exp(-1j * leaves["angle"])
    return {"r": np.real(turned), "angle": sign * leaves["r"] * np.imag(turned)}


def hermitian(x: Any, m: Any) -> Array:
    """xᴴ M x."""
    return np.asarray(np.conj(x) @ m @ x)


def hermitian_backward(leaves: Leaves, a: Any) -> dict[str, Any]:
    """dx = conj(g) M x + g Mᴴ x, dM = g x xᴴ."""
    x, m = leaves["x"], leaves["m"]
    return {"x": np.conj(a) * (m @ x) + a * np.conj(m.T) @ x, "m": a * np.outer(x, np.conj(x))}


def layer_backward(leaves: Leaves, a: Any, conjugated: bool = True) -> dict[str, Any]:
    """tanh(z w): through 1 − tanh², conjugated."""
    z, w = leaves["z"], leaves["w"]
    slope = 1 - np.tanh(z @ w) ** 2
    g = a * (np.conj(slope) if conjugated else slope)
    return product_backward({"z": z, "w": w}, g)


def small(shapes: Draw) -> Draw:
    """Far from the poles of tanh."""
    return lambda g: {k: v / 4 for k, v in shapes(g).items()}


# fmt: off
SPECIMENS: tuple[Specimen, ...] = (
    specimen("complex_square", lambda z: z**2, square_backward, draw(z=(2, 3)),
        ("z", "conjugate forgotten", lambda g, leaves, a: 2 * a * leaves["z"], CONJUGATE),
        ("z", "all of it conjugated", lambda g, leaves, a: np.conj(g), CONJUGATE),
        ("z", "2 forgotten", lambda g, leaves, a: g / 2, ("constant factor",)),
        ("z", "real part only", lambda g, leaves, a: np.real(g) + 0j, ()),
        ("z", "modulus for z", lambda g, leaves, a: 2 * a * np.abs(leaves["z"]), ())),
    specimen("modulus", lambda z: np.abs(z), modulus_backward, draw(z=(2, 3)),
        ("z", "conjugated", lambda g, leaves, a: np.conj(g), CONJUGATE),
        ("z", "half, as of ∂ / ∂ conj(z)", lambda g, leaves, a: g / 2, ("constant factor",)),
        ("z", "z for its direction", lambda g, leaves, a: a * leaves["z"], ("extra factor",)),
        ("z", "real gradient", lambda g, leaves, a: np.real(g), ("dtype",))),
    specimen("squared_modulus", lambda z: z.real**2 + z.imag**2, lambda leaves, a: {"z": 2 * a * leaves["z"]},
        draw(z=(2, 3)),
        ("z", "half, as of ∂ / ∂ conj(z)", lambda g, leaves, a: g / 2, ("constant factor",)),
        ("z", "as of a holomorphic square", lambda g, leaves, a: np.conj(g), CONJUGATE),
        ("z", "imaginary part forgotten", lambda g, leaves, a: np.real(g) + 0j, ())),
    specimen("angle", lambda z: np.angle(z), angle_backward, draw(z=(2, 3)),
        ("z", "turned the other way", lambda g, leaves, a: -g, ("sign flip",)),
        ("z", "modulus not squared", lambda g, leaves, a: g * np.abs(leaves["z"]), ()),
        ("z", "conjugated", lambda g, leaves, a: np.conj(g), CONJUGATE)),
    specimen("complex_product", lambda z, w: z @ w, product_backward, draw(z=(2, 3), w=(3, 4)),
        ("z", "transposed, not conjugated", lambda g, leaves, a: a @ leaves["w"].T, CONJUGATE),
        ("w", "transposed, not conjugated", lambda g, leaves, a: leaves["z"].T @ a, CONJUGATE),
        ("w", "mean over the batch", lambda g, leaves, a: g / 2, ("constant factor", "mean for sum"))),
    specimen("complex_quotient", lambda z, w: z / w, quotient_backward, draw(z=(5,), w=(5,)),
        ("z", "conjugate forgotten", lambda g, leaves, a: a / leaves["w"], CONJUGATE),
        ("w", "sign of the reciprocal", lambda g, leaves, a: -g, ("sign flip",)),
        ("w", "w not squared", lambda g, leaves, a: -a * np.conj(leaves["z"] / leaves["w"]), ()),
        ("w", "conjugate of z forgotten", lambda g, leaves, a: -a * leaves["z"] / np.conj(leaves["w"]) ** 2, ())),
    specimen("fourier_transform", lambda z: np.fft.fft(z), transform_backward, draw(z=(2, 5)),
        ("z", "inverse without its length", lambda g, leaves, a: np.fft.ifft(a), ("constant factor", "mean for sum")),
        ("z", "the transform again", lambda g, leaves, a: np.fft.fft(a), ("conjugate", "permuted")),
        ("z", "length of the other axis", lambda g, leaves, a: np.fft.ifft(a) * 2, ("constant factor",)),
        ("z", "along the other axis", lambda g, leaves, a: np.fft.ifft(a, axis=0) * 2, ("wrong axis",))),
    specimen("real_fourier_transform", lambda x: np.fft.rfft(x), real_transform_backward, draw_real(x=(7,)),
        ("x", "inverse, which counts frequencies twice", lambda g, leaves, a: np.fft.irfft(a, 7) * 7, ()),
        ("x", "complex gradient", lambda g, leaves, a: np.fft.ifft(a, 7) * 7, ("dtype",)),
        ("x", "modulus of it", lambda g, leaves, a: np.abs(np.fft.ifft(a, 7)) * 7,
            ("cotangent distorted",)),
        ("x", "without the length", lambda g, leaves, a: g / 7, ("constant factor", "mean for sum"))),
    specimen("real_times_complex", lambda r, z: r * z, scaled_backward,
        mixed(draw_real(r=(3, 1)), draw(z=(3, 2))),
        ("r", "complex gradient", lambda g, leaves, a: np.sum(a * np.conj(leaves["z"]), axis=1, keepdims=True),
            ("dtype",)),
        ("r", "modulus for the real part", lambda g, leaves, a: np.sum(np.abs(a * leaves["z"]), axis=1, keepdims=True),
            ("cotangent distorted",)),
        ("r", "mean over the columns", lambda g, leaves, a: g / 2, ("constant factor", "mean for sum")),
        ("z", "r forgotten", lambda g, leaves, a: g / leaves["r"], ("missing factor",))),
    specimen("real_part_of_product", lambda z, w: np.real(z * w), real_part_backward, draw(z=(5,), w=(5,)),
        ("z", "conjugate forgotten", lambda g, leaves, a: a * leaves["w"], CONJUGATE),
        ("w", "real part of the factor", lambda g, leaves, a: a * np.real(leaves["z"]) + 0j, ())),
    specimen("imaginary_part", lambda z: np.imag(z * (2 + 1j)), lambda leaves, a: {"z": 1j * a * (2 - 1j)},
        draw(z=(2, 3)),
        ("z", "−i for i", lambda g, leaves, a: -g, ("sign flip",)),
        ("z", "as of the real part", lambda g, leaves, a: a * (2 - 1j), ("constant factor",)),
        ("z", "conjugated", lambda g, leaves, a: np.conj(g), ("conjugate", "constant factor"))),
    specimen("polar", lambda r, angle: r * np.exp(1j * angle), polar_backward, lambda g: {
        "r": g.uniform(0.5, 2, 5), "angle": g.uniform(0.2, 1.3, 5) * g.choice([-1, 1], 5)},
        ("angle", "turned the other way", lambda g, leaves, a: -g, ("sign flip",)),
        ("angle", "r forgotten", lambda g, leaves, a: g / leaves["r"], ("missing factor",)),
        ("r", "modulus of the cotangent", lambda g, leaves, a: np.abs(a), ("cotangent distorted",))),
    specimen("hermitian_form", hermitian, hermitian_backward, draw(x=(3,), m=(3, 3)),
        ("x", "twice the first term, M not being Hermitian", lambda g, leaves, a: 2 * a * (leaves["m"] @ leaves["x"]),
            ()),
        ("x", "as if of xᵀ M x", lambda g, leaves, a: a * np.conj((leaves["m"] + leaves["m"].T) @ leaves["x"]), ()),
        ("m", "conjugate of the other factor", lambda g, leaves, a: a * np.outer(np.conj(leaves["x"]), leaves["x"]),
            ("conjugate", "transposed", "permuted"))),
    specimen("complex_tanh_layer", lambda z, w: np.tanh(z @ w), layer_backward, small(draw(z=(2, 3), w=(3, 2))),
        Bug("slope not conjugated", partial(layer_backward, conjugated=False), ("z", "w")),
        ("w", "transposed, not conjugated", lambda g, leaves, a: leaves["z"].T @ (
            a * np.conj(1 - np.tanh(leaves["z"] @ leaves["w"]) ** 2)), ())),
)
# fmt: on
