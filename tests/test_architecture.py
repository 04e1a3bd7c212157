"""The layer law: the tree shows the architecture, and imports go down, never up, never round."""

import ast
import re
from pathlib import Path

import pytest

import gradcheck
from gradcheck.running.config import tomllib

ROOT = Path(__file__).parent.parent
LAYERS = {
    "values": 0,
    "algebra": 1,
    "adapters": 1,
    "strategies": 1,
    "calculus": 2,
    "checking": 3,
    "probing": 3,
    "projecting": 3,
    "surveying": 3,
    "running": 4,
    "surfaces": 5,
    "testing": 5,
}
OUTSIDE = {"modules": 1, "plugins": 5}
# What the parts of the surfaces use of each other; "" are the files beside the folders, which users call.
PARTS: dict[str, set[str]] = {
    "formats": set(),
    "baselines": {"formats"},
    "": {"formats"},
    "command_line": {"formats", "baselines"},
}
FOLDERS = {name: ROOT / ("gradcheck" if name in LAYERS else "") / name for name in (*LAYERS, *OUTSIDE)}
FILES = sorted(
    file
    for found in ((ROOT / "gradcheck").glob("*.py"), *(folder.rglob("*.py") for folder in FOLDERS.values()))
    for file in found
)


def dotted(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "gradcheck" else ("gradcheck", *parts)
    return ".".join(part for part in parts if part != "__init__")


def imports(file: Path) -> set[str]:
    """Everything of gradcheck that a file imports, at any depth, for types only or not."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found.add(node.module or "")
    return {name for name in found if name.split(".")[0] == "gradcheck"}


def folder_of(name: str) -> str:
    return [*name.split("."), "", ""][1]


def part_of(name: str) -> str:
    """The folder within the surfaces that a file is in; empty beside them."""
    part = [*name.split("."), "", ""][2]
    return part if part in PARTS else ""


def plugin_of(name: str) -> str:
    """A plugin is a file or a folder; none imports another one."""
    return [*name.split("."), "", ""][2]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_come_from_the_same_or_a_lower_layer(file: Path) -> None:
    own = folder_of(dotted(file))
    if own in ("", "__main__"):
        return  # the root is the table of contents of everything, and imports it when it is asked for
    limit = {**LAYERS, **OUTSIDE}[own]
    for name in imports(file):
        folder = folder_of(name)
        if folder == "":
            assert own == "surfaces", f"{dotted(file)} imports the root, which is for users"
        elif folder in OUTSIDE:
            assert folder == own, f"{dotted(file)} imports {name}, which the core does not know"
            assert own != "plugins" or plugin_of(name) == plugin_of(dotted(file)), f"{dotted(file)} imports {name}"
        else:
            assert LAYERS[folder] <= limit, f"{dotted(file)} (L{limit}) imports {name} (L{LAYERS[folder]})"


def test_formats_and_baselines_know_nothing_of_what_uses_them() -> None:
    for file in FILES:
        own = dotted(file)
        if folder_of(own) not in ("", "__main__"):
            # A plugin, or what helps in tests, makes reports and writes them.
            allowed = PARTS[part_of(own)] | {part_of(own)} if folder_of(own) == "surfaces" else {"", "formats"}
            for name in (name for name in imports(file) if folder_of(name) == "surfaces"):
                assert part_of(name) in allowed, f"{own} imports {name}"


def test_every_part_of_the_surfaces_is_in_the_law() -> None:
    folders = {file.parent.name for file in (ROOT / "gradcheck" / "surfaces").glob("*/__init__.py")}
    assert folders == set(PARTS) - {""}


def test_there_are_no_import_cycles() -> None:
    graph = {dotted(file): imports(file) for file in FILES}
    graph["gradcheck"] = set()  # lazy
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"import cycle {' → '.join((*path, name))}"
        if name not in done:
            for following in graph.get(name, ()):
                visit(following, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_is_over_250_lines(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 250


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_everything_is_annotated(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            untyped = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
            assert not untyped, f"{file.name}: {node.name} has arguments without a type: {untyped}"
            assert node.returns is not None or node.name == "__init__", f"{file.name}: {node.name} has no return type"


def test_every_package_is_listed_for_the_wheel() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {dotted(file) for file in FILES if file.name == "__init__.py"}
    assert set(listed) == there


def test_the_links_that_tools_need_are_committed() -> None:
    for name in OUTSIDE:
        link = ROOT / "gradcheck" / name
        assert link.is_symlink()
        assert link.resolve() == ROOT / name


def test_the_architecture_page_names_every_folder_and_file() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    for file in FILES:
        if file.name not in ("__init__.py", "__main__.py"):
            assert re.search(rf"\b{file.stem}\b", page), f"docs/architecture.md does not mention {file.stem}"
    assert len(page.splitlines()) <= 100


def test_the_table_of_contents_agrees_with_itself() -> None:
    """The names that type checkers see are those that exist at run time."""
    tree = ast.parse((ROOT / "gradcheck" / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {
        (node.module, alias.name) for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert typed == {(home, name) for home, names in gradcheck._HOMES.items() for name in names}
    for name in gradcheck.__all__:
        assert getattr(gradcheck, name) is not None
    assert set(gradcheck.__all__) <= set(dir(gradcheck))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'chekc'"):
        _ = gradcheck.chekc
