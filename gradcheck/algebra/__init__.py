"""L1: vectors of named arrays, rounding, steps, and the drawing of cases."""
