"""Fourier transforms, and operators with complex numbers on either side."""

from tests.plugins.torch.operators.draws import complex_normal, definite, nonzero, normal, positive
from tests.plugins.torch.operators.row import Operator, torch

_Z = {"z": complex_normal(2, 3)}
_BOTH = {"x": normal(4), "y": normal(4)}

OPERATORS = (
    Operator("fft", lambda z: torch.fft.fft(z), {"z": complex_normal(2, 5)}),
    Operator("fft of reals", lambda x: torch.fft.fft(x, n=6, norm="ortho"), {"x": normal(2, 5)}),
    Operator("ifft", lambda z: torch.fft.ifft(z, dim=0), {"z": complex_normal(4, 2)}),
    Operator("rfft", lambda x: torch.fft.rfft(x), {"x": normal(2, 6)}),
    Operator("rfft, odd", lambda x: torch.fft.rfft(x, norm="forward"), {"x": normal(7)}),
    Operator("irfft", lambda z: torch.fft.irfft(z), {"z": complex_normal(2, 4)}),
    Operator("irfft, odd", lambda z: torch.fft.irfft(z, n=5), {"z": complex_normal(3)}),
    Operator("fft2", lambda z: torch.fft.fft2(z), {"z": complex_normal(2, 3)}),
    Operator("ifft2", lambda z: torch.fft.ifft2(z, s=(3, 2)), {"z": complex_normal(2, 3)}),
    Operator("fftn", lambda z: torch.fft.fftn(z, dim=(0, 2)), {"z": complex_normal(2, 2, 2)}),
    Operator("rfft2", lambda x: torch.fft.rfft2(x), {"x": normal(3, 4)}),
    Operator("irfft2", lambda z: torch.fft.irfft2(z), {"z": complex_normal(2, 3)}),
    Operator("hfft", lambda z: torch.fft.hfft(z), {"z": complex_normal(4)}),
    Operator("ihfft", lambda x: torch.fft.ihfft(x), {"x": normal(6)}),
    Operator("fftshift", lambda z: torch.fft.fftshift(z), {"z": complex_normal(2, 3)}),
    Operator(
        "stft",
        lambda x, w: torch.stft(x, 4, hop_length=2, window=w, return_complex=True),
        {"x": normal(10), "w": positive(4)},
    ),
    Operator(
        "istft",
        lambda z: torch.istft(z, 4, hop_length=2, window=torch.hann_window(4, dtype=z.real.dtype)),
        {"z": complex_normal(3, 4)},
    ),
    Operator("abs of complex numbers", lambda z: torch.abs(z), _Z),
    Operator("angle", lambda z: torch.angle(z), _Z),
    Operator("angle of reals", lambda x: torch.angle(x), {"x": nonzero(5)}),
    Operator("real", lambda z: torch.real(z), _Z),
    Operator("imag", lambda z: torch.imag(z), _Z),
    Operator("conj", lambda z: torch.conj(z) * z, _Z),
    Operator("sgn", lambda z: torch.sgn(z), _Z),
    Operator("view_as_real", lambda z: torch.view_as_real(z), _Z),
    Operator(
        "view_as_complex",
        lambda x: torch.view_as_complex(x),
        {"x": normal(3, 2)},
        waive={"layouts": "a view needs both parts beside each other, and says so"},
    ),
    Operator("complex", lambda x, y: torch.complex(x, y), _BOTH),
    Operator("polar", lambda x, y: torch.polar(x, y), {"x": positive(4), "y": normal(4)}),
    Operator("complex product", lambda z, x: z * x, {"z": complex_normal(2, 3), "x": normal(3)}),
    Operator("complex quotient", lambda z, u: z / u, {"z": complex_normal(3), "u": complex_normal(3)}),
    Operator("complex exponential", lambda z: torch.exp(z), _Z),
    Operator("complex logarithm", lambda z: torch.log(z), _Z),
    Operator("complex root", lambda z: torch.sqrt(z), _Z),
    Operator("complex tanh", lambda z: torch.tanh(z), _Z),
    Operator("complex power", lambda z, u: torch.pow(z, u), {"z": complex_normal(3), "u": complex_normal(3)}),
    Operator("complex matmul", lambda z, u: z @ u, {"z": complex_normal(2, 3), "u": complex_normal(3, 2)}),
    Operator("vdot", lambda z, u: torch.vdot(z, u), {"z": complex_normal(4), "u": complex_normal(4)}),
    Operator("complex norm", lambda z: torch.linalg.vector_norm(z), _Z),
    Operator("complex mean", lambda z: torch.mean(z, dim=1), _Z),
    Operator("complex product of entries", lambda z: torch.prod(z, dim=1), _Z),
    Operator(
        "complex inverse", lambda a, z: torch.linalg.inv(a + 0.3 * z), {"a": definite(2, 2), "z": complex_normal(2, 2)}
    ),
    Operator(
        "complex solve", lambda a, z: torch.linalg.solve(a + 0.3j, z), {"a": definite(2, 2), "z": complex_normal(2, 1)}
    ),
)
