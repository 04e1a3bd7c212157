"""L1: Hypothesis strategies made of declarations, for the check ``search`` and for properties of one's own."""

from gradcheck.strategies.arrays import arrays_for as arrays_for
from gradcheck.strategies.calls import calls_of as calls_of
from gradcheck.strategies.sizes import sizes_for as sizes_for
