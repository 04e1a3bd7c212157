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
            r"unknown key 'zzz'; known are complex_step, inconclusive, modules, seed, threshold$",
        ),
        ("[tool.gradcheck]\nthreshold = 0.1", r"pyproject.toml, \[tool.gradcheck\]: threshold is 0.1: expected"),
        ("[tool.gradcheck]\nmodules = 'a.b'", r"modules is 'a.b'; expected a list of targets"),
        ("[tool.gradcheck]\nmodules = [1]", r"modules is \[1\]; expected a list"),
        ("[tool]\ngradcheck = 1", r"\[tool.gradcheck\] is 1; expected a table"),
        ("[tool.gradcheck", r"pyproject.toml cannot be read: "),
    ],
)
def test_what_is_wrong_is_named_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        configured(tmp_path, text)
