"""What a diagnosis looks at: the two Jacobians of a leaf that disagree, as arrays that can be turned and compared."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.checking.comparison import Comparison
from gradcheck.checking.evaluation import Evaluation
from gradcheck.checking.measurement import measure
from gradcheck.values.aliases import Array, Shape

# A pattern is only evidence if it holds far better than chance, but it need not hold to the last threshold.
_PATTERN_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Contrast:
    """The analytical and the numerical Jacobian of one leaf (outputs, coordinates), and what surrounds them."""

    evaluation: Evaluation
    leaf: str
    comparison: Comparison

    @property
    def analytical(self) -> Array:
        """What backward says."""
        return self.comparison.analytical

    @property
    def numerical(self) -> Array:
        """What was measured."""
        return self.comparison.numerical.value

    @property
    def value(self) -> Array:
        """The leaf itself."""
        return self.evaluation.case.leaves[self.leaf]

    @property
    def wrong(self) -> Array:
        """Entries that fail (outputs, coordinates)."""
        return self.comparison.fails(self.evaluation.settings.threshold)

    @property
    def telling(self) -> Array:
        """Entries in which the numerical Jacobian is clearly not zero: only those can show a pattern."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.abs(self.numerical) > 100 * self.comparison.allowed_error)

    @property
    def scale(self) -> float:
        """The largest finite numerical entry."""
        return float(np.max(np.abs(self.numerical), initial=0.0, where=np.isfinite(self.numerical)))

    @property
    def outputs(self) -> dict[str, Array]:
        """The outputs at the point."""
        return self.evaluation.forward.outputs

    @property
    def output_shape(self) -> Shape:
        """Shape of the only output; (number of all outputs,) if there are several, or complex ones."""
        arrays = list(self.outputs.values())
        single = len(arrays) == 1 and arrays[0].size == len(self.analytical)
        return arrays[0].shape if single else (len(self.analytical),)

    @property
    def leaf_shape(self) -> Shape:
        """Shape of the leaf, with a last axis for real and imaginary part if it is complex; of a block of it flat."""
        if self.evaluation.block is not None:
            return self.comparison.analytical.shape[1:]
        return (*self.value.shape, 2) if np.iscomplexobj(self.value) else self.value.shape

    def same(self, one: Array, other: Array, tolerance: float = _PATTERN_TOLERANCE) -> bool:
        """Whether two Jacobians of this leaf agree, to within what can be measured."""
        with np.errstate(invalid="ignore"):
            allowed = tolerance * np.fmax(np.abs(one), np.abs(other)) + 2 * self.comparison.allowed_error
            return bool(np.all(np.abs(one - other) <= allowed))

    def other_leaves(self) -> Iterator[tuple[str, Comparison]]:
        """The comparisons of all other differentiable leaves."""
        for name in self.evaluation.differentiable:
            if name != self.leaf and self.evaluation.block is None:
                yield name, measure(self.evaluation, name)

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """All leaves and outputs, by name."""
        yield from self.evaluation.case.leaves.items()
        yield from self.outputs.items()
