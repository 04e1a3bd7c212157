"""The adapter of autograd."""
