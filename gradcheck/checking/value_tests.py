"""Value tests: known inputs give known outputs, and a reference module agrees."""

import numpy as np

from gradcheck.calculus.analytical import analytical_jacobians
from gradcheck.calculus.calls import call_forward
from gradcheck.checking.evaluation import Evaluation
from gradcheck.values.aliases import Array
from gradcheck.values.module import Example, Module
from gradcheck.values.results import CheckResult
from gradcheck.values.verdict import Verdict


def check_values(evaluation: Evaluation) -> CheckResult:
    """Compare the outputs with those of the example, or outputs and Jacobians with the reference."""
    problems: list[str] = []
    compared: list[str] = []
    if evaluation.case.example is not None:
        compared.append("the example")
        problems += _against_example(evaluation, evaluation.case.example)
    if evaluation.module.reference is not None:
        compared.append(f"the reference {evaluation.module.reference.name}")
        problems += _against_reference(evaluation, evaluation.module.reference)
    if problems:
        return CheckResult("values", Verdict.FAIL, "\n".join(problems))
    return CheckResult("values", Verdict.PASS, f"agrees with {' and '.join(compared)}")


def _against_example(evaluation: Evaluation, example: Example) -> list[str]:
    outputs = evaluation.forward.outputs
    named = isinstance(example.outputs, dict)
    expected = example.outputs if named else {next(iter(outputs)): example.outputs}
    problems = [
        f"the example expects output {name!r}; forward returned {', '.join(outputs)}"
        for name in expected
        if name not in outputs
    ]
    for name, output in outputs.items():
        if name in expected:
            problems += _difference(
                f"output {name}", output, np.asarray(expected[name]), example.tolerance, "the example"
            )
    return problems


def _against_reference(evaluation: Evaluation, reference: Module) -> list[str]:
    threshold, leaves = evaluation.settings.threshold, evaluation.case.leaves
    forward = call_forward(reference, leaves, evaluation.settings.seed)
    problems: list[str] = []
    for (name, output), expected in zip(evaluation.forward.outputs.items(), forward.outputs.values(), strict=True):
        problems += _difference(f"output {name}", output, expected, threshold, "the reference")
    if problems or not evaluation.differentiable:
        return problems
    jacobians = analytical_jacobians(reference, forward, leaves, evaluation.differentiable)
    for leaf, expected in jacobians.items():
        problems += _difference(f"Jacobian of {leaf}", evaluation.jacobians[leaf], expected, threshold, "the reference")
    return problems


def _difference(what: str, given: Array, expected: Array, tolerance: float, source: str) -> list[str]:
    """One sentence about the entry that differs most, none if all are within the tolerance.

    The difference is relative to the entry, but absolute below 1: sin(π) is 1.2e-16, not 0.
    """
    if given.shape != expected.shape:
        return [f"{what} has shape {given.shape}; {source} says {expected.shape}"]
    difference = np.abs(given - expected) / np.maximum(1.0, np.abs(expected))
    # `not <=`, so that a NaN differs.
    wrong = ~(difference <= tolerance)
    if not wrong.any():
        return []
    index = tuple(int(i) for i in np.argwhere(wrong)[np.argmax(difference[wrong])])
    return [
        f"{what}{list(index) if index else ''} is {given[index]:.10g}; {source} says {expected[index]:.10g}"
        f" ({int(wrong.sum())} of {given.size} entries differ by more than {tolerance:g})"
    ]
