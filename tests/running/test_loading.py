"""Targets: what can be named, and what is said of what cannot be loaded."""

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from gradcheck.running import locating
from gradcheck.running.loading import Loaded, load_targets
from gradcheck.running.plan import plan

MODULE = """
import gradcheck

@gradcheck.register
class {name}(gradcheck.Module):
    inputs = {{"x": gradcheck.real("N")}}

    def forward(self, x):
        return {factor} * x, None

    def backward(self, saved, a_bar):
        return {{"x": {factor} * a_bar}}
"""


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def write(path: str, text: str = "", name: str = "Double", factor: int = 2) -> None:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text or MODULE.format(name=name, factor=factor))


def names(loaded: Loaded) -> list[str]:
    return [subject.module.name for subject in loaded.subjects]


def problem(*targets: str) -> str:
    loaded = load_targets(targets)
    assert len(loaded.problems) == 1, loaded.problems
    return loaded.problems[0].message


def test_a_file_a_name_in_it_a_folder_a_module_and_a_package() -> None:
    write("layers_a/one.py", name="One")
    write("layers_a/two.py", MODULE.format(name="Two", factor=2) + MODULE.format(name="Three", factor=3))
    write("pkg_a/__init__.py", "# a package\n")
    write("pkg_a/inner.py", name="Inner")
    assert names(load_targets(["layers_a/one.py"])) == ["One"]
    assert names(load_targets(["layers_a/two.py:Three"])) == ["Three"]
    assert names(load_targets(["layers_a"])) == ["One", "Two", "Three"]
    assert names(load_targets(["pkg_a.inner"])) == ["Inner"]
    assert names(load_targets(["pkg_a.inner:Inner"])) == ["Inner"]
    assert names(load_targets(["pkg_a"])) == ["Inner"]
    assert names(load_targets(["pkg_a/inner.py", "pkg_a.inner"])) == ["Inner"]


def test_installed_packages_are_found_through_their_entry_point() -> None:
    assert "gradcheck.modules:catalogue" in locating.registered_packages()
    assert "Linear" in names(load_targets(["gradcheck.modules"]))
    assert names(load_targets(["gradcheck.modules:ReLU"])) == ["ReLU"]


def test_the_source_is_the_line_of_backward() -> None:
    write("layers_b.py")
    (subject,) = load_targets(["layers_b.py"]).subjects
    assert Path(subject.source.file).name == "layers_b.py"
    assert "def backward" in Path(subject.source.file).read_text().splitlines()[subject.source.line - 1]


def test_files_of_the_same_name_and_names_of_the_standard_library_are_no_trouble() -> None:
    write("first/verify.py", name="First")
    write("second/verify.py", name="Second")
    write("third/json.py", name="Third")
    write("fourth/my-layers.v2.py", name="Fourth")
    loaded = load_targets(["first", "second/verify.py", "third/json.py", "fourth", "second"])
    assert names(loaded) == ["First", "Second", "Third", "Fourth"]
    assert not loaded.problems


def test_a_folder_leaves_tests_and_environments_alone() -> None:
    write("folder/good.py")
    for other in ("folder/test_it.py", "folder/conftest.py", "folder/.hidden/a.py", "folder/build/a.py"):
        write(other, "import gradcheck\nraise RuntimeError('must not be run')")
    write("folder/env/pyvenv.cfg", "home = /usr")
    write("folder/env/lib/a.py", "import gradcheck\nraise RuntimeError('must not be run')")
    write("folder/unrelated.py", "raise RuntimeError('must not be run')")
    loaded = load_targets(["folder"])
    assert names(loaded) == ["Double"]
    assert not loaded.problems


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere.py", r"nowhere.py: there is no file or folder 'nowhere.py' in "),
        ("no/where", r"no/where: there is no file or folder 'no/where'"),
        ("no_such_module", r"no_such_module: there is neither a file nor a Python module of this name"),
        ("no.such.module", r"no.such.module: cannot be found \(ModuleNotFoundError: No module named 'no'\)"),
        ("", r"a target is empty; expected a Python module, a file or a folder"),
        ("empty", r"no Python file in this folder mentions gradcheck"),
        ("empty:Name", r"a name can be taken from a file, not from the folder 'empty'"),
        ("mentions", r"mentions: no file in it registers a module"),
        ("plain.py", r"plain.py: plain.py registers no module; expected @gradcheck.register above a class"),
        ("unregistered.py", r"it defines Double: add @gradcheck.register above the class, or name it as target:Name"),
        ("layers.py:Missing", r"layers.py:Missing: layers.py has no 'Missing'"),
        ("layers.py:gradcheck", r"layers.py:gradcheck: module is a module; expected a gradcheck.Module class"),
        ("syntax.py", r"syntax.py: importing syntax.py raised SyntaxError: .*"),
        (
            "raises.py",
            r"raises.py: importing raises.py raised ZeroDivisionError: division by zero \(raises.py, line 2\)",
        ),
        ("needs.py", r"importing needs.py raised ModuleNotFoundError: No module named 'not_installed'"),
        ("arguments.py", r"Wide cannot be made without arguments .*'width'.* give its fields defaults"),
        ("variants.py", r"Fixed has variants but no fields to vary: make it a frozen dataclass"),
        ("factory.py", r"making broken raised KeyError: 'lost'"),
        ("nothing.py", r"nothing returned None; expected a gradcheck.Module or several"),
        ("number.py", r"int is a int; expected a gradcheck.Module class"),
    ],
)
def test_what_cannot_be_loaded_is_named_with_the_reason_and_the_others_go_on(target: str, message: str) -> None:
    write("layers.py")
    write("empty/readme.txt", "nothing")
    write("mentions/a.py", "import gradcheck\n")
    write("plain.py", "import gradcheck\n")
    write("unregistered.py", MODULE.format(name="Double", factor=2).replace("@gradcheck.register", ""))
    write("syntax.py", "def broken(:\n")
    write("raises.py", "\n1 / 0\n")
    write("needs.py", "import not_installed\n")
    fields = "@gradcheck.register\n@dataclasses.dataclass(frozen=True)\nclass Wide(Double):\n    width: int\n"
    write(
        "arguments.py",
        "import dataclasses\n" + MODULE.format(name="Double", factor=2).replace("@gradcheck.register", "") + fields,
    )
    write("variants.py", MODULE.format(name="Fixed", factor=2) + "    variants = ({'factor': 3},)\n")
    write("factory.py", "import gradcheck\n@gradcheck.register\ndef broken():\n    raise KeyError('lost')\n")
    write("nothing.py", "import gradcheck\n@gradcheck.register\ndef nothing():\n    pass\n")
    write("number.py", "import gradcheck\ngradcheck.register(3)\n")
    loaded = load_targets([target, "layers.py"])
    assert names(loaded) == ["Double"]
    with pytest.raises(AssertionError, match=message):
        raise AssertionError("\n".join(problem.message for problem in loaded.problems))


def test_the_traceback_of_an_import_error_is_kept_for_debugging() -> None:
    write("raises_b.py", "\n1 / 0\n")
    (found,) = load_targets(["raises_b.py"]).problems
    assert "ZeroDivisionError" in found.detail


def test_a_duplicate_name_is_a_problem_and_the_first_is_kept() -> None:
    write("twice.py", MODULE.format(name="Same", factor=2) + MODULE.format(name="Same", factor=3))
    loaded = load_targets(["twice.py"])
    assert names(loaded) == ["Same"]
    assert "the name 'Same' is registered twice (twice.py, line 11 and twice.py, line 23)" in loaded.problems[0].message


def test_classes_instances_and_functions_can_be_registered() -> None:
    write(
        "kinds.py",
        """
        import gradcheck
        from dataclasses import dataclass
        from gradcheck.modules import Linear, Sigmoid, Sequential

        @gradcheck.register
        @dataclass(frozen=True)
        class Scale(gradcheck.Module):
            factor: float = 2.0
            inputs = {"x": gradcheck.real("N")}
            variants = ({}, {"factor": -1.0})

            def forward(self, x):
                return self.factor * x, None

            def backward(self, saved, a_bar):
                return {"x": self.factor * a_bar}

        gradcheck.register(Scale(5.0))

        @gradcheck.register
        def networks():
            yield Sequential({"a": Linear(), "b": Sigmoid()})
            yield Sigmoid

        @gradcheck.register
        def one():
            return Linear()
        """.replace("\n        ", "\n"),
    )
    loaded = load_targets(["kinds.py"])
    assert not loaded.problems
    expected = ["Scale", "Scale(factor=-1.0)", "Scale(factor=5.0)", "Sequential(Linear, Sigmoid)", "Sigmoid", "Linear"]
    assert names(loaded) == expected
    ids = [item.id for item in plan(loaded.subjects).items]
    probes = ["linearity", "purity", "layouts", "repeatability", "state", "leaves", "stability", "serialisation"]
    first = [f"Scale[N=2]::{check}" for check in ("dimensions", "gradient[x]", *probes)]
    assert ids[: len(first) + 1] == [*first, "Scale[N=1]::dimensions"]


def test_a_module_of_which_no_case_can_be_made_is_a_problem_of_the_plan() -> None:
    write(
        "caseless.py",
        "import gradcheck\n"
        "gradcheck.register(gradcheck.from_functions(lambda x: x, lambda l, a: {'x': a}, name='bare'))\n"
        "def make(): raise ValueError('no')\n"
        "gradcheck.register(gradcheck.from_object(make, inputs={'x': gradcheck.real('N 3')}))\n"
        "class Odd(gradcheck.modules.Linear):\n"
        "    @property\n"
        "    def dimensions(self): raise LookupError('odd')\n"
        "gradcheck.register(Odd())\n".replace(
            "gradcheck.modules.Linear", "__import__('gradcheck.modules').modules.Linear"
        ),
    )
    loaded = load_targets(["caseless.py"])
    problems = [found.message for found in plan(loaded.subjects).problems]
    assert "caseless.py: bare: declares no inputs, so no case can be drawn for it" in problems[0]
    assert "caseless.py: make: making the object raised ValueError: no" in problems[1]
    assert "caseless.py: Odd: making a case raised LookupError: odd" in problems[2]


def test_keywords_select_by_id_in_any_case() -> None:
    write("layers_k.py", MODULE.format(name="One", factor=2) + MODULE.format(name="Two", factor=3))
    subjects = load_targets(["layers_k.py"]).subjects
    assert {item.subject.module.name for item in plan(subjects, ("two",)).items} == {"Two"}
    assert {item.check for item in plan(subjects, ("GRADIENT[X]",)).items} == {"gradient"}
    assert len(plan(subjects, ("one", "two")).items) == len(plan(subjects).items)
    assert not plan(subjects, ("nothing",)).items


@pytest.mark.parametrize(
    "text",
    [
        "import gradcheck\nraise SystemExit(0)\n",
        "import gradcheck\n@gradcheck.register\ndef leaving():\n    raise SystemExit(0)\n",
    ],
)
def test_a_target_that_exits_hides_no_other(text: str) -> None:
    write("leaves.py", text)
    write("good.py")
    loaded = load_targets(["leaves.py", "good.py"])
    assert names(loaded) == ["Double"]
    assert "raised SystemExit" in loaded.problems[0].message


def test_a_package_that_cannot_be_imported_hides_no_other() -> None:
    write("broken_pkg/__init__.py", "raise RuntimeError('out of order')\n")
    write("broken_pkg/layers.py")
    write("good.py")
    loaded = load_targets(["broken_pkg.layers", "good.py"])
    assert names(loaded) == ["Double"]
    assert "broken_pkg.layers: cannot be found (RuntimeError: out of order)" in loaded.problems[0].message


def test_instances_of_one_name_are_never_dropped_silently() -> None:
    text = """
import gradcheck

class K(gradcheck.Module):
    inputs = {"x": gradcheck.real("N")}

    def __init__(self, k):
        self.k = k

    def forward(self, x):
        return self.k * x, None

    def backward(self, saved, a_bar):
        return {"x": 2 * a_bar}

gradcheck.register(K(2))
gradcheck.register(K(3))
"""
    write("instances.py", text)
    assert "the name 'K' is registered twice" in problem("instances.py")


def test_every_folder_is_verified_with_its_own_helpers() -> None:
    for folder, factor in (("first", 2), ("second", 3)):
        write(f"{folder}/helper_of_target.py", f"FACTOR = {factor}\n")
        text = MODULE.format(name="Scale", factor="FACTOR").replace(
            "import gradcheck\n", "import gradcheck\nfrom helper_of_target import FACTOR\n"
        )
        write(f"{folder}/verify_it.py", text)
    subjects = load_targets(["first", "second"]).subjects
    assert [subject.module.forward(1.0)[0] for subject in subjects] == [2.0, 3.0]


def test_equal_names_in_different_files_of_a_folder_are_both_verified() -> None:
    write("two_files/a/layers.py", name="Same")
    write("two_files/b/layers.py", name="Same", factor=3)
    loaded = load_targets(["two_files"])
    assert names(loaded) == ["Same", "Same"]
    assert not loaded.problems


def test_a_dangling_link_in_a_folder_is_passed_over() -> None:
    write("linked/good.py")
    Path("linked/gone.py").symlink_to("nowhere.py")
    Path("linked/folder.py").mkdir()
    assert names(load_targets(["linked"])) == ["Double"]


def test_a_malformed_entry_point_is_a_problem_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("bad", "not a valid!!", locating.GROUP),
        EntryPoint("spaced", "gradcheck.modules : catalogue", locating.GROUP),
    ]
    monkeypatch.setattr(locating, "entry_points", lambda group: points)
    assert set(locating.registered_packages()) == {"not a valid!!", "gradcheck.modules:catalogue"}
    loaded = load_targets(locating.registered_packages())
    assert "Linear" in names(loaded)
    assert [found.target for found in loaded.problems] == ["not a valid!!"]
