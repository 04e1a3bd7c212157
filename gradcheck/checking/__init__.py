"""L3: checks of one module at one case."""
