"""Mutants of a catalogue module: its own source, with one thing changed in what its backward does."""

import ast
import copy
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from types import CodeType
from typing import Any

from gradcheck.modules import Composite, Graph
from gradcheck.values.module import Module

# What a class has of its own; a loss leaves the rest to what all losses share.
_BACKWARD, _FORWARD = ("backward", "pulled_back"), ("forward", "losses")


@dataclass(frozen=True)
class Mutation:
    """A changed function and how the change reads, such as ``Tanh.backward: 1.0 - a ** 2 → 1.0 + a ** 2``."""

    title: str
    source: str
    function: str
    changed: ast.FunctionDef

    def of(self, module: Module) -> Module:
        """The module as the changed source makes it."""
        tree = ast.parse(Path(self.source).read_text(encoding="utf-8"))
        owner, name = _owner(tree, self.function)
        owner.body[[getattr(node, "name", "") for node in owner.body].index(name)] = self.changed
        namespace: dict[str, Any] = {"__name__": type(module).__module__}
        exec(compile(ast.fix_missing_locations(tree), self.title, "exec"), namespace)
        given = {field.name: getattr(module, field.name) for field in fields(module)}  # type: ignore[arg-type]  # all are dataclasses
        return namespace[type(module).__name__](**given)  # type: ignore[no-any-return]  # it was executed just now


def subject(module: Module) -> Module:
    """What a mutation changes: a composite has the backward of its graph."""
    return module.graph if isinstance(module, Composite) else module


def mutations(kind: type[Module]) -> Iterator[Mutation]:
    """Every mutation of the backward of a class, and of the functions in its file that only backward calls."""
    kind = Graph if issubclass(kind, Composite) else kind
    source = inspect.getsourcefile(kind)
    assert source
    tree = ast.parse(Path(source).read_text(encoding="utf-8"))
    methods = [f"{kind.__name__}.{name}" for name in _BACKWARD if name in vars(kind)]
    for name in [*methods, *_functions_of_backward(kind)]:
        owner, function_name = _owner(tree, name)
        function = next(node for node in owner.body if getattr(node, "name", "") == function_name)
        assert isinstance(function, ast.FunctionDef)
        for title, changed in _changes(function):
            yield Mutation(f"{name}: {title}", source, name, changed)


def _owner(tree: ast.Module, function: str) -> tuple[Any, str]:
    """The module or class in which a function is defined, and its name there."""
    *classes, name = function.split(".")
    owner: Any = tree
    for wanted in classes:
        owner = next(node for node in owner.body if isinstance(node, ast.ClassDef) and node.name == wanted)
    return owner, name


def _functions_of_backward(kind: type[Module]) -> list[str]:
    module = importlib.import_module(kind.__module__)
    here = {
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == kind.__module__
    }
    back, forth = (
        set[str]().union(*(_names(vars(kind)[name].__code__) for name in methods if name in vars(kind)))
        for methods in (_BACKWARD, _FORWARD)
    )
    return sorted((back - forth) & here)


def _names(code: CodeType) -> set[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*(_names(constant) for constant in inner))


def _changes(function: ast.FunctionDef) -> Iterator[tuple[str, ast.FunctionDef]]:
    for number, node in enumerate(ast.walk(function)):
        for replacement in _replacements(node):
            changed = copy.deepcopy(function)
            target = list(ast.walk(changed))[number]
            yield f"{ast.unparse(node)} → {ast.unparse(replacement)}", _Replace(target, replacement).visit(changed)


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, replacement: ast.AST) -> None:
        self.target, self.replacement = target, replacement

    def visit(self, node: ast.AST) -> Any:
        return self.replacement if node is self.target else self.generic_visit(node)


_OPERATORS: dict[type[ast.operator], tuple[ast.operator, ...]] = {
    ast.Add: (ast.Sub(),),
    ast.Sub: (ast.Add(),),
    ast.Mult: (ast.Div(),),
    ast.Div: (ast.Mult(),),
}


def _replacements(node: ast.AST) -> Iterator[ast.AST]:
    """What people write instead: another sign, a factor forgotten, a mean for a sum, a transposition left out."""
    if isinstance(node, ast.BinOp):
        yield from (ast.BinOp(node.left, other, node.right) for other in _OPERATORS.get(type(node.op), ()))
        if isinstance(node.op, ast.Mult):
            yield from (node.left, node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sum":
        yield ast.Call(ast.Attribute(node.func.value, "mean", ast.Load()), node.args, node.keywords)
    elif isinstance(node, ast.Call) and ast.unparse(node.func) == "reversed":
        yield node.args[0]
    elif (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and "require" not in ast.unparse(node.value.func)
    ):
        # A call for what it does to its first argument, such as adding to it; what requires something only looks.
        *others, added = node.value.args
        yield from (
            ast.Expr(ast.Call(node.value.func, [*others, wrong], node.value.keywords)) for wrong in _wrong(added)
        )
    elif isinstance(node, ast.DictComp):
        yield from (ast.DictComp(node.key, wrong, node.generators) for wrong in _wrong(node.value))
    elif isinstance(node, ast.Dict):
        # The gradients that are returned; without a key: others that are merged.
        for at, value in enumerate(node.values):
            if node.keys[at] is not None:
                for wrong in _wrong(value):
                    yield ast.Dict(node.keys, [*node.values[:at], wrong, *node.values[at + 1 :]])


def _wrong(value: ast.expr) -> tuple[ast.expr, ...]:
    factors = (ast.Constant(0.0), ast.Constant(1.001))
    return (ast.UnaryOp(ast.USub(), value), *(ast.BinOp(factor, ast.Mult(), value) for factor in factors))
