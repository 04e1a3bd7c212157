"""Projects for the tests of the plugin: modules to write into files, and how many items come of them."""

from pathlib import Path

import pytest

WRONG = """

@gradcheck.register
class Wrong(Affine):
    def backward(self, saved, a_bar):
        gradients = super().backward(saved, a_bar)
        gradients["weight"][2, 0] *= 1.01
        return gradients
"""
PROBES = ("linearity", "purity", "layouts", "repeatability", "state", "leaves", "stability", "serialisation")
CASES_OF_AFFINE = ("N=2 D=3 M=5", "N=5 D=3 M=2", "N=1 D=3 M=5")
# In each case dimensions, gradient[x], gradient[weight], gradient[bias], and the probes.
CHECKS_OF_AFFINE = 3 * (4 + 8)

# One leaf, two cases: a module of few items.
DOUBLE = """
import gradcheck


@gradcheck.register
class Double(gradcheck.Module):
    inputs = {"x": gradcheck.real("N")}

    def forward(self, x):
        return 2 * x, None

    def backward(self, saved, a_bar):
        return {"x": 2 * a_bar}
"""
TRIPLE = DOUBLE.replace("Double", "Triple").replace("2 * ", "3 * ")
# Its backward is wrong.
WRONG_DOUBLE = DOUBLE.replace('{"x": 2', '{"x": 3').replace("Double", "WrongDouble")
CHECKS_OF_DOUBLE = 2 * (2 + 8)

ORDER = """
import gradcheck


@gradcheck.register
class Order(gradcheck.Module):
    inputs = {"x": gradcheck.real("N D")}

    def forward(self, x):
        return 2 * x, None

    def backward(self, saved, a_bar):
        return {"x": 2 * a_bar.ravel(order="K").reshape(a_bar.shape)}
"""
CHECKS_OF_ORDER = 3 * (2 + 8)

CONFIGURED = "[tool.pytest.ini_options]\ngradcheck_modules = ['mypkg.layers']\n"
# For tests that import the package themselves.
IMPORTABLE = "[tool.pytest.ini_options]\npythonpath = ['.']\n"


def write(pytester: pytest.Pytester, layers: str) -> Path:
    """Change the package's module."""
    file = pytester.path / "mypkg" / "layers.py"
    file.write_text(layers)
    return file


def configure(pytester: pytest.Pytester, ini: str = CONFIGURED, table: str = "") -> None:
    """Write pyproject.toml, with lines for [tool.gradcheck]."""
    (pytester.path / "pyproject.toml").write_text(f"{ini}\n[tool.gradcheck]\n{table}\n")


def names_of(result: pytest.RunResult) -> list[str]:
    """The ids that `--co -q` has printed."""
    return [line for line in result.outlines if "::" in line]
