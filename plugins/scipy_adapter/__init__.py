"""SciPy: objectives with jac and hess, constraints, systems of equations and ODEs, and a drop-in ``check_grad``."""

try:
    import scipy as _scipy
except ImportError as error:
    raise ImportError("gradcheck.plugins.scipy_adapter needs SciPy: pip install 'gradcheck[scipy]'") from error

from gradcheck.plugins.scipy_adapter.drop_in import check_grad, check_grad_report
from gradcheck.plugins.scipy_adapter.objects import ADAPTER
from gradcheck.plugins.scipy_adapter.odes import from_ode
from gradcheck.plugins.scipy_adapter.problems import from_constraint, from_scipy

__all__ = ["ADAPTER", "check_grad", "check_grad_report", "from_constraint", "from_ode", "from_scipy"]

del _scipy
