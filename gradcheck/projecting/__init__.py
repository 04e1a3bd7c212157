"""L3: projections: the gradient check of leaves that are too large to be perturbed entry by entry."""
