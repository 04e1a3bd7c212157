"""Importing gradcheck is cheap and loads nothing that the user has not loaded."""

import importlib.util
import subprocess
import sys

import pytest

FRAMEWORKS = ["torch", "jax", "autograd", "scipy", "distributed", "loky", "cloudpickle", "matplotlib"]


def loaded_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after running the code."""
    command = f"{code}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def third_party(names: set[str]) -> set[str]:
    return {name for name in names if not name.startswith("_") and name not in sys.stdlib_module_names}


def test_import_gradcheck_loads_nothing_else() -> None:
    bare = loaded_after("")
    assert third_party(loaded_after("import gradcheck") - bare) == {"gradcheck"}


def test_verifying_a_module_loads_numpy_only() -> None:
    code = "import gradcheck, gradcheck.modules; gradcheck.check(gradcheck.modules.Linear())"
    assert third_party(loaded_after(code) - loaded_after("import numpy, numpy.random")) == {"gradcheck"}


def test_the_pytest_plugin_loads_no_engine_before_it_is_needed() -> None:
    loaded = loaded_after("import gradcheck.plugins.pytest_plugin")
    assert "pytest" in loaded
    assert not loaded & {"numpy", "tabulate", "hypothesis"}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_no_framework_is_loaded_though_it_is_installed(framework: str) -> None:
    if importlib.util.find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed; make test-all installs it")
    code = "import gradcheck, gradcheck.modules; print(gradcheck.check(gradcheck.modules.Linear()))"
    assert framework not in loaded_after(code)
