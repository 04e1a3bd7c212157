"""Residual blocks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gradcheck.modules.arithmetic import Add
from gradcheck.modules.composite import Composite
from gradcheck.modules.graph import Graph, Node
from gradcheck.values.aliases import Sizes
from gradcheck.values.errors import DeclarationError
from gradcheck.values.module import Module


@dataclass(frozen=True)
class Residual(Composite):
    """Residual block a = body(x) + shortcut(x), the shortcut being the identity if none is given (He et al. 2016).

    Shapes: those of the body; with the identity body(x) has the shape of x. A projection as shortcut, such as a
    convolution with kernel 1 × 1, lets the body change the shape.

    >>> from gradcheck.modules import Linear
    >>> list(Residual(Linear()).parameters), list(Residual(Linear(), Linear()).parameters)
    (['body.weight', 'body.bias'], ['body.weight', 'body.bias', 'shortcut.weight', 'shortcut.bias'])
    """

    body: Module
    shortcut: Module | None = None
    # A projection of a strided image fits only at some sizes.
    sizes: Sequence[Sizes] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        parts = (self.body, self.shortcut) if self.shortcut is not None else (self.body,)
        if not all(isinstance(part, Module) and part.inputs for part in parts):
            raise DeclarationError(
                f"Residual has the body {self.body!r} and the shortcut {self.shortcut!r}; expected modules with"
                f" an input, such as Residual(Linear())"
            )
        # Wired here, so that parts that do not fit are reported where they are put together.
        _ = self._graph

    @cached_property
    def name(self) -> str:
        parts = [self.body.name, *([self.shortcut.name] if self.shortcut else [])]
        return f"Residual({', '.join(parts)})"

    @property
    def graph(self) -> Graph:
        fed = next(iter(self.body.inputs))
        nodes = {"body": Node(self.body, {fed: fed})}
        if self.shortcut is not None:
            nodes["shortcut"] = Node(self.shortcut, {next(iter(self.shortcut.inputs)): fed})
        nodes["plus"] = Node(Add(), {"x": "body", "y": "shortcut" if self.shortcut else fed})
        return Graph(nodes, {"a": "plus"}, sizes=self.sizes)
