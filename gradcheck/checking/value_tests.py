"""Value tests: known inputs give known outputs, and a reference module agrees."""

from collections.abc import Callable, Mapping

import numpy as np

from gradcheck.adapters.functions import from_functions, function_name
from gradcheck.calculus.analytical import analytical_jacobians
from gradcheck.calculus.calls import as_array, call_forward
from gradcheck.checking.evaluation import Evaluation
from gradcheck.values.aliases import Array, Outputs
from gradcheck.values.entry import entry_path
from gradcheck.values.module import Example, Module
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict

# What may remain of terms that cancel, of their size.
_REMAINS = 1e-8


def check_values(evaluation: Evaluation) -> CheckResult:
    """Compare the outputs with those of the example, or outputs and Jacobians with the reference."""
    problems: list[str] = []
    compared: list[str] = []
    if evaluation.case.example is not None:
        compared.append("the example")
        problems += _against_example(evaluation, evaluation.case.example)
    reference = evaluation.module.reference
    if reference is not None:
        reference = reference() if isinstance(reference, type) else reference
        compared.append(f"the reference {_name(reference)}")
        problems += _against_reference(evaluation, reference)
    if problems:
        return CheckResult("values", Verdict.FAIL, "\n".join(problems))
    return CheckResult("values", Verdict.PASS, f"agrees with {' and '.join(compared)}")


def _against_example(evaluation: Evaluation, example: Example) -> list[str]:
    outputs = evaluation.forward.outputs
    named = isinstance(example.outputs, Mapping)
    if not named and len(outputs) > 1:
        return [f"the example gives one output; forward returned {', '.join(outputs)}: give a dict with all of them"]
    expected = example.outputs if named else {next(iter(outputs)): example.outputs}
    if set(expected) != set(outputs):
        return [f"the example gives the outputs {', '.join(expected)}; forward returned {', '.join(outputs)}"]
    problems: list[str] = []
    for name, output in outputs.items():
        value = as_array(expected[name])
        if value is None or value.dtype.kind not in "fiu":
            problems.append(f"the example says {expected[name]!r} for output {name}; expected an array of numbers")
        else:
            problems += _difference(f"output {name}", output, value, example.tolerance, "the example")
    return problems


def _against_reference(evaluation: Evaluation, reference: Module | Callable[..., Outputs]) -> list[str]:
    threshold, leaves = evaluation.settings.threshold, evaluation.case.leaves
    source = f"the reference {_name(reference)}"
    has_gradient = isinstance(reference, Module)
    module = reference if isinstance(reference, Module) else from_functions(reference, lambda leaves, a_bar: {})
    forward, outputs = call_forward(module, leaves, evaluation.settings.seed), evaluation.forward.outputs
    if len(forward.outputs) != len(outputs):
        return [f"forward returned {len(outputs)} outputs; the reference has {len(forward.outputs)}"]
    # By name where the names are the same, else by position.
    names = list(outputs) if set(outputs) == set(forward.outputs) else list(forward.outputs)
    problems: list[str] = []
    for (name, output), theirs in zip(outputs.items(), names, strict=True):
        expected = forward.outputs[theirs]
        problems += _difference(f"output {name}", output, expected, threshold, source, _size(evaluation, expected))
    if problems or not has_gradient or not evaluation.differentiable:
        return problems
    rows = np.concatenate([forward.layout.positions(name) for name in names])
    jacobians = analytical_jacobians(module, forward, leaves, evaluation.with_jacobians)
    for leaf in evaluation.with_jacobians:
        given, expected = evaluation.jacobian(leaf), jacobians[leaf].dense()[rows]
        size = _size(evaluation, expected)
        problems += _difference(f"Jacobian of {leaf}", given, expected, threshold, source, size)
    return problems


def _name(reference: Module | Callable[..., Outputs]) -> str:
    return str(getattr(reference, "name", "") or function_name(reference))


def _size(evaluation: Evaluation, expected: Array) -> float:
    """What entries of a reference are compared with that are smaller than it.

    That is its largest entry, since it may be small throughout; but where terms cancel, what remains of them is the
    rounding of numbers as large as the leaves.
    """
    largest = float(np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected)))
    leaves = max((float(np.max(np.abs(value), initial=0.0)) for value in evaluation.case.leaves.values()), default=0.0)
    return min(1.0, max(largest, _REMAINS * max(leaves, 1.0)))


def _difference(
    what: str, given: Array, expected: Array, tolerance: float, source: str, size: float = 1.0
) -> list[str]:
    """One sentence about the entry that differs most, none if all are within the tolerance.

    The difference is relative to the entry, or to a size below which nothing is: sin(π) is 1.2e-16, not 0.
    """
    if given.shape != expected.shape:
        return [f"{what} has shape {given.shape}; {source} says {expected.shape}"]
    difference = np.abs(given - expected) / np.maximum(size, np.abs(expected))
    # `not <=`, so that a NaN differs.
    wrong = ~(difference <= tolerance)
    if not wrong.any():
        return []
    index = tuple(int(i) for i in np.argwhere(wrong)[np.argmax(difference[wrong])])
    return [
        f"{entry_path(what, index)} is {given[index]:.10g}; {source} says {expected[index]:.10g}"
        f" ({int(wrong.sum())} of {given.size} entries differ by more than {tolerance:g})"
    ]
