"""L2: the numerical and the analytical Jacobian."""
