"""Running an operation once, to find out what it does."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from gradcheck.algebra.sampling import case_specs, draw_case
from gradcheck.plugins.torch_adapter.conversion import is_tensor
from gradcheck.plugins.torch_adapter.facts import Facts
from gradcheck.plugins.torch_adapter.framework import Tensor, torch
from gradcheck.plugins.torch_adapter.grad_mode import recording
from gradcheck.plugins.torch_adapter.precision import is_narrow
from gradcheck.plugins.torch_adapter.randomness import restored, states, unchanged
from gradcheck.plugins.torch_adapter.recorded import UNNAMED
from gradcheck.plugins.torch_adapter.torch_module import TorchModule
from gradcheck.plugins.torch_adapter.trees import flattened
from gradcheck.values.aliases import Leaves
from gradcheck.values.errors import GradcheckError


def tried_out(makers: Sequence[Callable[[], TorchModule]]) -> TorchModule:
    """The first module that can be made and run and computes in the precision of its leaves, with what it does.

    If none does, the last that can be run; if none can, the last of all, which will say why when it is verified.

    Raises what the last of the makers raises, and any GradcheckError.
    """
    runnable: list[TorchModule] = []
    refused: list[TorchModule] = []
    for number, make in enumerate(makers, 1):
        try:
            module = make()
        except Exception as error:
            if isinstance(error, GradcheckError) or number == len(makers):
                raise
            continue  # it cannot be cast
        found = _tried(module)
        if found is None:
            refused.append(replace(module, ways=module.ways[-1:]))
        elif found.facts.precise:
            return found
        else:
            runnable.append(found)
    return [*refused, *runnable][-1]


def _tried(module: TorchModule) -> TorchModule | None:
    """A module with what it does, called in the first way that it takes; None if it takes none."""
    for way in module.ways:
        attempt = replace(module, ways=(way,))
        try:
            with restored(), recording():
                return _with_facts(attempt, _point(module))
        except Exception:  # not with these names, or not at all
            continue
    return None


def _point(module: TorchModule) -> Leaves:
    return draw_case(module, case_specs(module)[0], 0).leaves if module.leaves else module.defaults


def _with_facts(module: TorchModule, leaves: Leaves) -> TorchModule:
    before = states()
    tensors = {name: module.places[name].leaf(array) for name, array in leaves.items()}
    given = module.cloned(tensors)
    graphs = {name: tensor.grad_fn for name, tensor in given.items()}
    returned = module.run(given)
    # An operation that writes to an argument and tells torch so gives that another graph.
    in_place = any(given[name].grad_fn is not node for name, node in graphs.items())
    facts = Facts(dropped=_marked(module, returned), in_place=in_place)
    outputs = replace(module, facts=facts).named(returned)
    _pull_back([*outputs.values()], [*tensors.values()])
    facts = replace(facts, precise=not any(is_narrow(output.dtype) for output in outputs.values()))
    return replace(module, facts=facts, stochastic=not unchanged(before, states()))


def _marked(module: TorchModule, returned: object) -> frozenset[str]:
    """Paths of the outputs that a hand-written forward has marked as not differentiable: all others are, if any is."""
    tensors = {path: value for path, value in flattened(UNNAMED, returned) if is_tensor(value)}
    marked = frozenset(path for path, value in tensors.items() if not value.requires_grad)
    return marked if module.operation.hand_written and len(marked) < len(tensors) else frozenset()


def _pull_back(outputs: Sequence[Tensor], leaves: Sequence[Tensor]) -> None:
    """Run the backward once, for what it draws; whatever it raises will be raised again where it counts."""
    reached = [output for output in outputs if output.requires_grad]
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    if reached and wanted:
        try:
            torch.autograd.grad(reached, wanted, [torch.ones_like(output) for output in reached], allow_unused=True)
        except Exception:
            return
