"""Names for the types that occur in every layer."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Leaves: TypeAlias = Mapping[str, Array]
Shape: TypeAlias = tuple[int, ...]
Size: TypeAlias = int | Shape
Sizes: TypeAlias = Mapping[str, Size]
Outputs: TypeAlias = Array | Mapping[str, Array]
Saved: TypeAlias = Any
Generator: TypeAlias = np.random.Generator
