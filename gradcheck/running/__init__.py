"""L4: configuration, targets, registry, plan and run."""
