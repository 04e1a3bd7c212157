"""docs/adapters.md: the programs on it; the adapter of it, built, installed beside gradcheck, run with PyTensor."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "third_party_adapter"
PAGE = ROOT / "docs" / "adapters.md"
# Blocks that need a framework, by the heading under which they are; test_docs.py runs those that need none.
BLOCK = re.compile(r"^```py\n(.*?)^```", re.MULTILINE | re.DOTALL)
SECTIONS = {section.partition("\n")[0]: section for section in PAGE.read_text(encoding="utf-8").split("\n## ")}


def require(framework: str) -> None:
    if find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed; make test-all installs it")


def test_the_program_for_autograd_runs() -> None:
    require("autograd")
    (program,) = BLOCK.findall(SECTIONS["autograd"])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_page_shows_the_adapter_as_it_is_and_it_is_short() -> None:
    adapter = (EXAMPLE / "gradcheck_pytensor.py").read_text(encoding="utf-8")
    assert BLOCK.findall(SECTIONS["An adapter of your own"])[0] == adapter
    assert len(adapter.splitlines()) <= 60
    (shown,) = re.findall(r"^```toml\n(.*?)^```", SECTIONS["An adapter of your own"], re.MULTILINE | re.DOTALL)
    assert shown in (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")


def test_the_program_that_uses_the_adapter_runs(site: Path) -> None:
    run(site, BLOCK.findall(SECTIONS["An adapter of your own"])[1])


SETUP = """
import sys
import numpy as np
import gradcheck
import pytensor
import pytensor.tensor as pt
from pytensor.compile.builders import OpFromGraph

generator = np.random.default_rng(0)
x, weight, v = pt.dmatrix("x"), pt.dmatrix("weight"), pt.dvector("v")
bias = pytensor.shared(np.array([0.5, -1.0]), name="bias")
layer = pt.tanh(x @ weight + bias)
layer.name = "layer"
point = {"x": generator.normal(size=(4, 3)), "weight": generator.normal(size=(3, 2))}


def sine(factor):
    # An operator with a gradient of its own, as users write them.
    return OpFromGraph([v], [pt.sin(v)], pullback=lambda inputs, outputs, bars: [factor * pt.cos(inputs[0]) * bars[0]])
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example is installed from its wheel."""
    require("pytensor")
    folder = tmp_path_factory.mktemp("third_party")
    shutil.copytree(EXAMPLE, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(folder / "source"))
    (wheel,) = folder.glob("gradcheck_pytensor-*.whl")
    pip("install", "--no-deps", "--no-index", "--target", str(folder / "site"), str(wheel))
    return folder / "site"


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def run(site: Path, program: str) -> str:
    """What a program prints where the example is installed; PyTensor compiles nothing, which would take minutes."""
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    flags = f"linker=py,base_compiledir={site.parent / 'compiled'}"
    environment = {**os.environ, "PYTHONPATH": path, "PYTENSOR_FLAGS": flags}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=site, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_adapter_and_its_entry_point(site: Path) -> None:
    assert (site / "gradcheck_pytensor.py").read_text() == (EXAMPLE / "gradcheck_pytensor.py").read_text()
    (points,) = site.glob("gradcheck_pytensor-*.dist-info/entry_points.txt")
    assert "[gradcheck.adapters]\npytensor = gradcheck_pytensor:ADAPTER" in points.read_text()


def test_an_expression_is_checked_with_its_shared_variables(site: Path) -> None:
    printed = run(site, SETUP + "print(gradcheck.check(layer, point, threshold=1e-6))")
    for leaf in ("bias", "x", "weight"):
        assert f"layer     {leaf} " in printed
    assert "20 of 20 coordinates perturbed" in printed
    assert "11 pass" in printed


def test_an_operator_with_a_wrong_gradient_is_found_and_a_right_one_is_not(site: Path) -> None:
    program = (
        "for factor in (1.0, 1.001): print(gradcheck.check(sine(factor)(v), {'v': np.array([0.5, 1.0, 2.0])}).verdict)"
    )
    assert run(site, SETUP + program).split("\n")[:2] == ["Verdict.PASS", "Verdict.FAIL"]


def test_integers_are_leaves_without_a_gradient(site: Path) -> None:
    program = "print(gradcheck.check(v[pt.lvector('k')], {'v': np.array([0.5, 1.0]), 'k': np.array([0, 1, 1])}).passed)"
    assert run(site, SETUP + program) == "True\n"


def test_an_expression_without_its_arrays_says_what_is_expected(site: Path) -> None:
    program = """
for target, given in (
    (layer, None),
    (layer, {"x": point["x"]}),
    (layer, {**point, "y": 1.0}),
    (pt.exp(pt.dvector()), {"x": point["x"]}),
):
    try:
        gradcheck.check(target, given)
    except gradcheck.PointError as error:
        print(error)
"""
    assert run(site, SETUP + program).splitlines() == [
        "layer was given nothing; expected arrays for weight, x, each with a name of its own",
        "layer was given x; expected arrays for weight, x, each with a name of its own",
        "layer was given x, weight, y; expected arrays for weight, x, each with a name of its own",
        "Exp.0 was given x; expected arrays for None, each with a name of its own",
    ]


def test_the_adapter_is_imported_only_when_pytensor_is(site: Path) -> None:
    program = """
import sys
import numpy as np
import gradcheck
from gradcheck.modules import Tanh

gradcheck.check(Tanh(), {"x": np.ones(2)})
try:
    gradcheck.check(object(), {"x": np.ones(2)})
except gradcheck.TargetError as error:
    print(error)
print([name for name in ("pytensor", "gradcheck_pytensor") if name in sys.modules])
"""
    printed = run(site, program)
    assert "check was given a object" in printed
    assert printed.endswith("[]\n")


def test_an_expression_and_a_module_of_numpy_are_equivalent(site: Path) -> None:
    program = """
from gradcheck.modules import Linear
report = gradcheck.check_equivalent(Linear(), x @ weight + bias, point)
report.raise_for_failure()
print(len(report.verification.cases[0].checks))
"""
    assert run(site, SETUP + program) == "4\n"
