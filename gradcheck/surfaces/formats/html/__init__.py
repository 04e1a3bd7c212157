"""The report as a page: what is on it, its figures, and its templates."""
