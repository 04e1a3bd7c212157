"""What backward claims: the Jacobians of the leaves, from one backward for every output or from fewer."""

from dataclasses import dataclass, replace
from functools import cached_property

from gradcheck.algebra.layout import coordinates_in
from gradcheck.algebra.sampling import generator_for
from gradcheck.calculus.analytical import analytical_jacobians, expected_entries, grouped_jacobians
from gradcheck.calculus.batches import Batches
from gradcheck.calculus.calls import Forward
from gradcheck.calculus.jacobian import Jacobian
from gradcheck.checking.modes import is_projected, may_be_grouped
from gradcheck.values.aliases import Leaves
from gradcheck.values.errors import ModuleError
from gradcheck.values.module import Module
from gradcheck.values.settings import Settings

# Of the sparse Jacobian, while it is collected and sorted.
_BYTES_OF_AN_ENTRY = 64


@dataclass(frozen=True, eq=False)
class Claims:
    """The analytical side of an evaluation.

    Arguments:
        module, forward: whose backward, at which point.
        point: the differentiable leaves.
        settings: which modes may be used.
        batches: many backwards at once, where the module offers them.
        one_hot: whether every output has to be pulled back by itself.
    """

    module: Module
    forward: Forward
    point: Leaves
    settings: Settings
    batches: Batches | None = None
    one_hot: bool = False

    @cached_property
    def jacobians(self) -> dict[str, Jacobian]:
        """The Jacobian of every leaf that has one, by its entries.

        Raises ModuleError if backward misbehaves, or if one has more entries than the limit of memory allows.
        """
        for leaf in self.leaves:
            if leaf in self._crowded:
                raise ModuleError(
                    f"{self.module.name}: the Jacobian of {leaf} has about {self._crowded[leaf]:,} entries, more than a"
                    f" memory_limit of {self.settings.memory:,} bytes allows: give a larger one, or mode='projected'"
                )
        if self._decoded is not None:
            return self._decoded[0]
        return analytical_jacobians(self.module, self.forward, self.point, self.leaves, self.batches)

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """The leaves whose Jacobians are looked at; of the others only projections are."""
        named = (leaf for leaf in self.point if not is_projected(self.settings, coordinates_in(self.point[leaf])))
        return tuple(leaf for leaf in named if self.settings.mode != "auto" or leaf not in self._crowded)

    @property
    def backwards(self) -> int:
        """How many backwards the Jacobians took."""
        return self.forward.layout.size if self._decoded is None else self._decoded[1]

    @property
    def are_pulled_back(self) -> bool:
        """Whether backward is known to pull a generic cotangent back as these Jacobians do."""
        return self._decoded is not None

    @property
    def are_single(self) -> bool:
        """Whether there was one backward for every output."""
        return self._decoded is None and self.batches is None

    @cached_property
    def by_one_hots(self) -> "Claims":
        """The same from one backward for every output."""
        return replace(self, one_hot=True, batches=None)

    @cached_property
    def _crowded(self) -> dict[str, int]:
        """Leaves whose Jacobian has more entries than the limit of memory allows, with about how many that are."""
        most, outputs = self.settings.memory // _BYTES_OF_AN_ENTRY, self.forward.layout.size
        doubtful = {leaf: value for leaf, value in self.point.items() if outputs * coordinates_in(value) > most}
        counts = expected_entries(self.module, self.forward, doubtful) if doubtful else {}
        return {leaf: count for leaf, count in counts.items() if count > most}

    @cached_property
    def _decoded(self) -> tuple[dict[str, Jacobian], int] | None:
        sizes, outputs = [coordinates_in(self.point[leaf]) for leaf in self.leaves], self.forward.layout.size
        if self.one_hot or not any(may_be_grouped(self.settings, size, outputs) for size in sizes):
            return None
        point = {leaf: self.point[leaf] for leaf in self.leaves}
        generator = generator_for(self.settings.seed, "decoding")
        return grouped_jacobians(self.module, self.forward, point, generator, self.batches)
