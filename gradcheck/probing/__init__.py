"""L3: behaviour probes: what a single Jacobian cannot show. The table of all checks is checking/checks.py."""
