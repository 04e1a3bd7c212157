"""L5: what people see: the Report, its formats, the command line."""
