"""L5: what people see: the Report and the functions that make one; its formats, baselines, the command line."""
