"""All hidden bugs."""

from tests.surveying.hidden_bugs_of_coincidences import COINCIDENCES
from tests.surveying.hidden_bugs_of_lengths import LENGTHS
from tests.surveying.hidden_bugs_of_shapes import SHAPES
from tests.surveying.hidden_bugs_of_values import VALUES

HIDDEN_BUGS = (*SHAPES, *LENGTHS, *COINCIDENCES, *VALUES)
