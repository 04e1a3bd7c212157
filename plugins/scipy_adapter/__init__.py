"""The adapter of scipy."""
