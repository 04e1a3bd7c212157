"""The adapter of torch."""
