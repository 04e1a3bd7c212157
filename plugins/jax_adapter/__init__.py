"""The adapter of jax."""
