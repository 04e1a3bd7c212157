"""PyTensor for gradcheck: an expression is checked as it is, gradcheck.check(expression, {"x": array})."""

import numpy as np
import pytensor
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import graph_inputs
from pytensor.tensor import TensorVariable

import gradcheck
from gradcheck.values.adapter import Adapted


class PyTensorAdapter:
    """Recognises expressions; their leaves are the variables in them, by name, shared ones with their values."""

    def recognises(self, target, arguments):
        del arguments  # an expression tells by itself what it is
        return isinstance(target, TensorVariable)

    def adapt(self, target, arguments):
        found = [variable for variable in graph_inputs([target]) if not isinstance(variable, Constant)]
        held = {variable.name: variable.get_value() for variable in found if isinstance(variable, SharedVariable)}
        variables = {variable.name: variable.type(variable.name) for variable in found}
        given, wanted = arguments or {}, sorted(str(name) for name in variables if name not in held)
        if len(variables) < len(found) or not set(given) <= set(variables) <= {*given, *held}:
            raise gradcheck.PointError(
                f"{target} was given {', '.join(given) or 'nothing'}; expected arrays for {', '.join(wanted)},"
                f" each with a name of its own"
            )
        expression = clone_replace(target, {variable: variables[variable.name] for variable in found})
        return Adapted(_module(expression, variables, str(target)), {**held, **given})


def _module(expression, variables, name):
    """The expression as a Module: PyTensor compiles its value, and the gradient that PyTensor derives of it."""
    cotangent = expression.type("a_bar")
    wanted = [name for name, variable in variables.items() if variable.dtype.startswith("float")]
    derived = pytensor.grad(
        None, [variables[name] for name in wanted], known_grads={expression: cotangent}, disconnected_inputs="ignore"
    )
    inputs = list(variables.values())
    value = pytensor.function(inputs, expression)
    gradients = pytensor.function([*inputs, cotangent], derived, on_unused_input="ignore")

    def in_order(leaves):
        return [np.asarray(leaves[name], dtype=variable.dtype) for name, variable in variables.items()]

    return gradcheck.from_functions(
        lambda **leaves: value(*in_order(leaves)),
        lambda leaves, a_bar: dict(zip(wanted, gradients(*in_order(leaves), a_bar), strict=True)),
        name=name,
    )


ADAPTER = PyTensorAdapter()
