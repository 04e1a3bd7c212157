"""What the tests of the adapter of autograd share: autograd, the adapter, and verdicts by check and leaf."""

from typing import Any

import pytest

from gradcheck import Verdict
from tests.plugins.verdicts import gradients as gradients
from tests.plugins.verdicts import verdicts as verdicts

REASON = "autograd is not installed; make test-all installs it"
extend: Any = pytest.importorskip("autograd.extend", reason=REASON, exc_type=ImportError)
anp: Any = pytest.importorskip("autograd.numpy", reason=REASON, exc_type=ImportError)
builtins: Any = pytest.importorskip("autograd.builtins", reason=REASON, exc_type=ImportError)
adapter: Any = pytest.importorskip("gradcheck.plugins.autograd_adapter", reason=REASON, exc_type=ImportError)


def failing(target: Any, arguments: Any, **options: Any) -> set[str]:
    """The checks that do not pass."""
    return {name for name, verdict in verdicts(target, arguments, **options).items() if verdict is not Verdict.PASS}
