"""The adapter of JAX: its functions, custom_vjp and custom_jvp as Modules, and check_grads with its own signature."""

from gradcheck.plugins.jax_adapter.adapter import JaxAdapter
from gradcheck.plugins.jax_adapter.building import from_jax as from_jax
from gradcheck.plugins.jax_adapter.drop_in import check_grads as check_grads

ADAPTER = JaxAdapter()
