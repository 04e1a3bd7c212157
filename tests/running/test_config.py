from pathlib import Path

import pytest

from gradcheck.running.config import Configuration, load_configuration
from gradcheck.values.errors import ConfigurationError
from gradcheck.values.settings import Settings


def configured(folder: Path, text: str) -> Configuration:
    (folder / "pyproject.toml").write_text(text)
    inner = folder / "a" / "b"
    inner.mkdir(parents=True, exist_ok=True)
    return load_configuration(inner)


def test_the_nearest_pyproject_is_read(tmp_path: Path) -> None:
    found = configured(
        tmp_path, '[tool.gradcheck]\nmodules = ["a.b", "c.py"]\nthreshold = 1e-6\nseed = 7\ninconclusive = "warn"'
    )
    assert found == Configuration(("a.b", "c.py"), Settings(1e-6, 7, "warn"))


def test_checks_and_waivers_are_read(tmp_path: Path) -> None:
    text = '[tool.gradcheck]\nchecks = ["gradient", "layouts"]\nwaive = {layouts = "reads by position"}'
    found = configured(tmp_path, text)
    assert found == Configuration((), Settings(checks=("gradient", "layouts"), waive={"layouts": "reads by position"}))


@pytest.mark.parametrize("text", ["", "[project]\nname = 'x'", "[tool.other]\nx = 1"])
def test_without_a_table_there_are_defaults(tmp_path: Path, text: str) -> None:
    assert configured(tmp_path, text) == Configuration()


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    assert load_configuration(Path(tmp_path.anchor)) == Configuration()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[tool.gradcheck]\nthreshhold = 1e-5",
            r"pyproject.toml, \[tool.gradcheck\]: unknown key 'threshhold'.*did you mean 'threshold'",
        ),
        (
            "[tool.gradcheck]\nzzz = 1",
            r"unknown key 'zzz'; known are also, budget, cases, checks, complex_step, examples, inconclusive, "
            r"memory_limit, mode, modules, pictures, seed, threshold, waive$",
        ),
        ("[tool.gradcheck]\nthreshold = 0.1", r"pyproject.toml, \[tool.gradcheck\]: threshold is 0.1: expected"),
        ("[tool.gradcheck]\nmodules = 'a.b'", r"modules is 'a.b'; expected a list of targets"),
        ("[tool.gradcheck]\nmodules = [1]", r"modules is \[1\]; expected a list"),
        (
            "[tool.gradcheck]\nchecks = 'gradient'",
            r"pyproject.toml, \[tool.gradcheck\]: checks is 'gradient': expected names of checks such as \['gradient'",
        ),
        ("[tool.gradcheck]\nchecks = ['gradient', 1]", r"checks is \['gradient', 1\]: expected names of checks"),
        (
            "[tool.gradcheck]\nwaive = {layouts = ''}",
            r"pyproject.toml, \[tool.gradcheck\]: waive gives no reason for layouts: the report is to say why",
        ),
        ("[tool.gradcheck]\nwaive = {layouts = ' ', state = 'by design'}", r"waive gives no reason for layouts: "),
        (
            "[tool.gradcheck]\nwaive = 3",
            r"pyproject.toml, \[tool.gradcheck\]: waive is 3: expected probes with reasons",
        ),
        ("[tool.gradcheck]\nwaive = {layouts = 3}", r"waive is \{'layouts': 3\}: expected probes with reasons"),
        ("[tool]\ngradcheck = 1", r"\[tool.gradcheck\] is 1; expected a table"),
        ("[tool.gradcheck", r"pyproject.toml cannot be read: "),
    ],
)
def test_what_is_wrong_is_named_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        configured(tmp_path, text)
