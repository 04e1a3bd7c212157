"""Running an operation once, to find out what it does."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gradcheck.plugins.torch_adapter.calling import Arrangement, arrangements, with_defaults
from gradcheck.plugins.torch_adapter.facts import Facts
from gradcheck.plugins.torch_adapter.framework import Tensor, torch
from gradcheck.plugins.torch_adapter.grad_mode import recording
from gradcheck.plugins.torch_adapter.precision import is_narrow
from gradcheck.plugins.torch_adapter.randomness import restored, states, unchanged
from gradcheck.plugins.torch_adapter.torch_module import TorchModule
from gradcheck.plugins.torch_adapter.trees import flattened
from gradcheck.values.aliases import Leaves


def tried(module: TorchModule, leaves: Leaves) -> Facts:
    """What an operation does at one point; torch's generators are left as they are found.

    Raises whatever the operation raises.
    """
    error: Exception | None = None
    for arrangement in _arrangements(module):
        attempt = replace(module, facts=replace(module.facts, arrangement=arrangement))
        try:
            with restored(), recording():
                return _tried(attempt, leaves)
        except TypeError as refused:
            error = error or refused
    raise error or TypeError(f"{module.name} cannot be called")


def _arrangements(module: TorchModule) -> Iterator[Arrangement]:
    arguments: Mapping[str, object] = {**(module.tree or {}), **module.constants}
    if not module.operation.by_name:
        arguments = with_defaults(module.operation.signature, arguments)
    return arrangements(module.name, module.operation.signature, arguments)


def _tried(module: TorchModule, leaves: Leaves) -> Facts:
    before = states()
    tensors = {name: module.places[name].leaf(array) for name, array in leaves.items()}
    # Clones, so that an operation may write to them.
    given = {name: tensor.clone() for name, tensor in tensors.items()}
    graphs = {name: tensor.grad_fn for name, tensor in given.items()}
    returned = module.run(given)
    in_place = any(given[name].grad_fn is not node for name, node in graphs.items())
    dropped = frozenset(_marked(returned))
    found = replace(module, facts=replace(module.facts, dropped=dropped))
    outputs = found.named(returned)
    _pull_back(list(outputs.values()), list(tensors.values()))
    kept = not any(is_narrow(output.dtype) for output in outputs.values())
    return replace(found.facts, in_place=in_place, draws=not unchanged(before, states()), dtypes_kept=kept)


def _marked(returned: object) -> Iterator[str]:
    """Paths of the outputs that a hand-written forward has marked as not differentiable."""
    outputs = {path: value for path, value in flattened("a", returned) if isinstance(value, torch.Tensor)}
    nodes = [value.grad_fn for value in outputs.values() if value.grad_fn is not None]
    marked = {id(value) for node in nodes for value in getattr(node, "non_differentiable", None) or ()}
    return (path for path, value in outputs.items() if id(value) in marked)


def _pull_back(outputs: list[Tensor], leaves: list[Tensor]) -> None:
    """Run the backward once, for what it draws; whatever it raises will be raised again where it counts."""
    reached = [output for output in outputs if output.requires_grad]
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    if reached and wanted:
        try:
            torch.autograd.grad(reached, wanted, [torch.ones_like(output) for output in reached], allow_unused=True)
        except Exception:
            return
