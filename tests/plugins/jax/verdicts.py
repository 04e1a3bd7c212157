"""What the tests of the adapter of JAX share: JAX, the adapter, and verdicts by check and leaf."""

from typing import Any

import pytest

from gradcheck import Verdict
from tests.plugins.verdicts import gradients as gradients
from tests.plugins.verdicts import verdicts as verdicts

jax: Any = pytest.importorskip("jax", reason="JAX is not installed; make test-all installs it", exc_type=ImportError)
adapter: Any = pytest.importorskip("gradcheck.plugins.jax_adapter", exc_type=ImportError)
jnp: Any = jax.numpy


def failing(target: Any, arguments: Any, **options: Any) -> set[str]:
    """The checks that do not pass; nothing is asked of what is waived."""
    passed = (Verdict.PASS, Verdict.WAIVED)
    return {name for name, verdict in verdicts(target, arguments, **options).items() if verdict not in passed}
