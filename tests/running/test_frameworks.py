"""The seam for other frameworks: whose adapter is asked, when it is imported, and what is said of a broken one."""

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.running.frameworks import GROUP, adapted

RIGHT = """
    import numpy as np
    import gradcheck
    from gradcheck.values.adapter import Adapted


    class Adapter:
        def recognises(self, target, arguments):
            return type(target).__name__ == "{kind}"

        def adapt(self, target, arguments):
            module = gradcheck.from_functions(
                lambda x: np.sin(x),
                lambda leaves, a_bar: {{"x": target.factor * np.cos(leaves["x"]) * a_bar}},
                name="{kind}",
            )
            return Adapted(module, arguments)


    ADAPTER = Adapter()
"""
POINT = {"x": np.array([0.5, -1.5])}

Install = Callable[..., None]


class Sine:
    """An object of a framework."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package with an adapter for a framework, and import that framework, unless it is not to be."""
    monkeypatch.syspath_prepend(tmp_path)

    def package(framework: str, source: str, *, imported: bool = True, value: str = "") -> None:
        info = tmp_path / f"gradcheck_{framework}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: gradcheck-{framework}\nVersion: 1.0\n")
        value = value or f"gradcheck_{framework}:ADAPTER"
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{framework} = {value}\n")
        (tmp_path / f"gradcheck_{framework}.py").write_text(textwrap.dedent(source))
        # Forgotten after the test, as sys.modules is put back.
        monkeypatch.setitem(sys.modules, f"gradcheck_{framework}", ModuleType("placeholder"))
        del sys.modules[f"gradcheck_{framework}"]
        if imported:
            monkeypatch.setitem(sys.modules, framework, ModuleType(framework))

    return package


def test_an_object_of_an_imported_framework_is_checked_as_a_module(install: Install) -> None:
    install("sinelib", RIGHT.format(kind="Sine"))
    report = gradcheck.check(Sine(), POINT)
    assert report.passed
    assert report.verification.cases[0].module == "Sine"
    assert gradcheck.check(Sine(factor=1.001), POINT).verdict is Verdict.FAIL


def test_the_adapter_of_a_framework_that_is_not_imported_is_not_imported_either(install: Install) -> None:
    install("sinelib", "raise RuntimeError('imported although nobody asked')", imported=False)
    assert adapted(Sine(), POINT) is None
    assert "gradcheck_sinelib" not in sys.modules
    with pytest.raises(gradcheck.TargetError, match=r"check was given a Sine; expected a gradcheck.Module"):
        gradcheck.check(Sine(), POINT)


def test_a_module_asks_no_adapter(install: Install) -> None:
    install("sinelib", "raise RuntimeError('imported although nobody asked')")
    assert gradcheck.check(gradcheck.from_jacobian(np.sin, lambda x: np.diag(np.cos(x))), POINT).passed
    assert "gradcheck_sinelib" not in sys.modules


def test_of_two_adapters_the_one_that_recognises_an_object_adapts_it(install: Install) -> None:
    install("alib", RIGHT.format(kind="Other"))
    install("zlib_of_sines", RIGHT.format(kind="Sine"))
    assert gradcheck.check(Sine(), POINT).verification.cases[0].module == "Sine"


def test_of_two_adapters_that_recognise_an_object_the_first_by_name_adapts_it(install: Install) -> None:
    install("bsines", RIGHT.format(kind="Sine").replace('name="Sine"', 'name="second"'))
    install("asines", RIGHT.format(kind="Sine").replace('name="Sine"', 'name="first"'))
    found = adapted(Sine(), POINT)
    assert found is not None
    assert found.module.name == "first"


@pytest.mark.parametrize(
    ("source", "value", "said"),
    [
        ("import no_such_thing", "", r"'gradcheck_sinelib:ADAPTER' cannot be imported: ModuleNotFoundError: No module"),
        ("ADAPTER = 1 / 0", "", "cannot be imported: ZeroDivisionError: division by zero"),
        ("adapter = None", "", "cannot be imported: AttributeError: .*ADAPTER"),
        ("", "gradcheck_other:ADAPTER", "'gradcheck_other:ADAPTER' cannot be imported: ModuleNotFoundError"),
    ],
)
def test_an_adapter_that_cannot_be_imported_is_named_with_its_entry_point(
    install: Install, source: str, value: str, said: str
) -> None:
    install("sinelib", source, value=value)
    with pytest.raises(gradcheck.TargetError, match=f"the adapter sinelib = .*{said}"):
        gradcheck.check(Sine(), POINT)


def test_an_adapter_that_raises_while_it_looks_at_an_object_is_named(install: Install) -> None:
    install("sinelib", RIGHT.format(kind="Sine").replace("type(target).__name__", "target.nothing"))
    with pytest.raises(gradcheck.TargetError, match=r"the adapter 'sinelib' raised AttributeError: .*nothing"):
        gradcheck.check(Sine(), POINT)


def test_an_adapter_that_raises_while_it_adapts_an_object_is_named(install: Install) -> None:
    install("sinelib", RIGHT.format(kind="Sine").replace("Adapted(module, arguments)", "module.nothing"))
    with pytest.raises(gradcheck.TargetError, match=r"the adapter 'sinelib' raised AttributeError: .*nothing"):
        gradcheck.check(Sine(), POINT)


def test_what_an_adapter_says_of_an_object_reaches_the_user(install: Install) -> None:
    source = RIGHT.format(kind="Sine").replace(
        "module = gradcheck",
        'raise gradcheck.PointError("Sine was given y; expected x")\n            module = gradcheck',
    )
    install("sinelib", source)
    with pytest.raises(gradcheck.PointError, match="Sine was given y; expected x"):
        gradcheck.check(Sine(), {"y": 1.0})


def test_leaves_that_are_not_given_have_their_values_from_the_object(install: Install) -> None:
    source = RIGHT.format(kind="Sine").replace("Adapted(module, arguments)", 'Adapted(module, {"x": np.array([2.5])})')
    install("sinelib", source)
    found = adapted(Sine(), None)
    assert found is not None
    assert found.leaves["x"].tolist() == [2.5]
    assert gradcheck.check(Sine()).passed


def test_every_bundled_adapter_is_registered_under_the_name_of_its_framework() -> None:
    from importlib.metadata import entry_points

    points: dict[str, Any] = {point.name: point.value for point in entry_points(group=GROUP)}
    for framework in ("autograd", "jax", "scipy", "torch"):
        assert points[framework] == f"gradcheck.plugins.{framework}_adapter:ADAPTER"
