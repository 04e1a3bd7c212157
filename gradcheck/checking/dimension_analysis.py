"""Dimension analysis: dim(∂L/∂x) = dim(x), dim(∂L/∂θ) = dim(θ), and every symbol means one size."""

from collections.abc import Iterator

from gradcheck.calculus.calls import as_array
from gradcheck.checking.evaluation import Evaluation
from gradcheck.values.aliases import Array, Leaves
from gradcheck.values.dimensions import Dimensions, bind
from gradcheck.values.results import CheckResult, Diagnosis
from gradcheck.values.verdict import Verdict

_SHAPE = "return the gradient in the leaf's own shape: sum it over every axis along which forward broadcast the leaf"
_DTYPE = "return the gradient in the leaf's own dtype: frameworks refuse another, and an update would change the leaf's"
_MISSING = "return a gradient for every differentiable leaf, zeros if it has no influence"
_EXTRA = "leave it out: what is no leaf, or has no gradient, is not returned"


def check_dimensions(evaluation: Evaluation) -> CheckResult:
    """Compare shapes and dtypes of outputs and gradients with the leaves and with the declarations."""
    diagnoses = tuple(_gradient_problems(evaluation))
    problems = [*_output_problems(evaluation), *(diagnosis.evidence for diagnosis in diagnoses)]
    if not evaluation.differentiable:
        problems.append(f"no leaf of {evaluation.module.name} is differentiable: there is no gradient to verify")
    if problems:
        return CheckResult("dimensions", Verdict.FAIL, "\n".join(problems), diagnoses=diagnoses)
    leaves, outputs = evaluation.case.leaves, evaluation.forward.outputs
    empty = [name for name, array in {**leaves, **outputs}.items() if array.size == 0]
    trivial = f"; {', '.join(empty)} of size 0: passes trivially" if empty else ""
    constant = [name for name in leaves if name not in evaluation.differentiable]
    trivial += f"; not differentiated: {', '.join(constant)}" if constant else ""
    shapes = ", ".join(f"{name} {array.shape}" for name, array in outputs.items())
    return CheckResult("dimensions", Verdict.PASS, f"outputs {shapes} and all gradients fit{trivial}")


def _output_problems(evaluation: Evaluation) -> list[str]:
    declared = evaluation.module.outputs
    outputs = evaluation.forward.outputs
    if not declared:
        return []
    if set(declared) != set(outputs):
        return [f"forward returned outputs {', '.join(outputs)}; declared are {', '.join(declared)}"]
    leaves = {name: leaf.dimensions for name, leaf in evaluation.module.leaves.items()}
    dimensions = {**leaves, **{name: Dimensions.parse(text) for name, text in declared.items()}}
    shapes = {name: array.shape for name, array in {**evaluation.case.leaves, **outputs}.items()}
    return [f"output {problem}" for problem in bind(dimensions, shapes)[1]]


def missing_gradients(evaluation: Evaluation) -> Iterator[str]:
    """One sentence for every differentiable leaf for which backward returns None, or nothing."""
    found = _gradient_problems(evaluation)
    return (diagnosis.evidence for diagnosis in found if diagnosis.cause == "missing gradient")


def _gradient_problems(evaluation: Evaluation) -> Iterator[Diagnosis]:
    gradients, leaves = evaluation.gradients, evaluation.case.leaves
    wanted = evaluation.differentiable
    for leaf in wanted:
        if problem := _problem(leaf, leaves[leaf], gradients):
            yield problem
    for leaf in gradients:
        if wanted and leaf not in wanted and gradients[leaf] is not None:
            text = f"backward returned a gradient for {leaf!r}, which {_why_none(leaf, leaves)}; expected gradients for"
            yield Diagnosis("extra gradient", f"{text} {', '.join(wanted)}", _EXTRA)


def _problem(leaf: str, value: Array, gradients: dict[str, object]) -> Diagnosis | None:
    expected = f"expected an array of shape {value.shape}"
    if leaf not in gradients:
        returned = ", ".join(gradients) or "nothing"
        text = f"backward returned no gradient for {leaf!r}, only for {returned}; {expected}"
        return Diagnosis("missing gradient", text, _MISSING)
    given = gradients[leaf]
    if given is None:
        text = f"backward returned None for {leaf!r}; {expected} (zeros if {leaf} has no influence)"
        return Diagnosis("missing gradient", text, _MISSING)
    gradient = as_array(given)
    if gradient is None:
        text = f"the gradient of {leaf!r} is a {type(given).__name__} that is no array; {expected}"
        return Diagnosis("shape", text, _SHAPE)
    if gradient.shape != value.shape:
        text = f"the gradient of {leaf!r} has shape {gradient.shape}; {expected}{_hint(gradient, value)}"
        return Diagnosis("shape", text, _SHAPE)
    if gradient.dtype.kind != value.dtype.kind:
        text = f"the gradient of {leaf!r} has dtype {gradient.dtype}; expected {value.dtype}, as {leaf}"
        return Diagnosis("dtype", text, _DTYPE)
    if gradient.dtype.itemsize != value.dtype.itemsize:
        than = "less precise than" if gradient.dtype.itemsize < value.dtype.itemsize else "another than that of"
        text = f"the gradient of {leaf!r} has dtype {gradient.dtype}, {than} {leaf} ({value.dtype})"
        return Diagnosis("dtype", text, _DTYPE)
    return None


def _hint(gradient: Array, value: Array) -> str:
    """What may have been forgotten, where the shapes tell."""
    extra = gradient.ndim - value.ndim
    if extra > 0 and gradient.shape[extra:] == value.shape:
        axes = ", ".join(map(str, range(extra)))
        return f": the sum over axis {axes} is missing"
    return ": it is transposed" if gradient.shape == value.shape[::-1] else ""


def _why_none(leaf: str, leaves: Leaves) -> str:
    if leaf not in leaves:
        return "is no leaf"
    return f"has none: it holds {leaves[leaf].dtype} or is declared as labels, one_hot or mask"
