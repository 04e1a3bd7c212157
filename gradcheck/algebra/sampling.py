"""Cases of a declared module: at which sizes, with which values."""

import zlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gradcheck.values.aliases import Array, Generator, Size, Sizes
from gradcheck.values.case import Case, CaseSpec
from gradcheck.values.declarations import Declaration
from gradcheck.values.errors import DeclarationError
from gradcheck.values.module import Example, Module

# Different primes for different symbols: a transposed or wrong axis then cannot fit by accident,
# and a mean over one axis cannot be mistaken for a mean over another.
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
_AXES_OF_A_STARRED_SYMBOL = 2
_KINK_CLEARANCE = 0.05
_ATTEMPTS = 1000


def prime_sizes(symbols: tuple[str, ...], *, reverse: bool = False, given: Sizes | None = None) -> dict[str, Size]:
    """Bind every symbol to a prime of its own, a starred one to two; in descending order on request.

    Symbols with given sizes keep those, and no other symbol gets a size that is given.

    >>> prime_sizes(("N", "D"))
    {'N': 2, 'D': 3}
    >>> prime_sizes(("*B", "D"), reverse=True)
    {'B': (5, 3), 'D': 2}
    """
    given = given or {}
    free = [prime for prime in _PRIMES if prime not in given.values()]
    open_symbols = [symbol for symbol in symbols if symbol.lstrip("*") not in given]
    count = sum(_AXES_OF_A_STARRED_SYMBOL if symbol.startswith("*") else 1 for symbol in open_symbols)
    if count > len(free):
        raise DeclarationError(
            f"{len(symbols)} dimension symbols ({', '.join(symbols)}) are more than there are default"
            f" sizes for: give them with `dimensions`, or use numbers for some"
        )
    primes = iter(sorted(free[:count], reverse=reverse))
    sizes: dict[str, Size] = {symbol.lstrip("*"): given.get(symbol.lstrip("*"), 0) for symbol in symbols}
    for symbol in open_symbols:
        starred = symbol.startswith("*")
        sizes[symbol.lstrip("*")] = (next(primes), next(primes)) if starred else next(primes)
    return sizes


def case_specs(module: Module, cases: Sequence[Sizes] = ()) -> tuple[CaseSpec, ...]:
    """The cases at which a declared module is verified, examples last.

    At ascending primes, at descending primes (so that every size relation is met both ways round),
    and with a batch of one; sizes that a module gives itself in `dimensions` take the place of primes.

    Arguments:
        cases: sizes of some or all symbols, for cases in place of those; other symbols are given primes.

    Raises DeclarationError for sizes that are none, or of symbols that the module does not have.
    """
    chosen = _asked_for(module, cases) if cases else _settings(module)
    specs = {case_name(sizes): CaseSpec(case_name(sizes), sizes) for sizes in chosen}
    examples = (CaseSpec(f"example {number}", {}, example) for number, example in enumerate(module.examples, 1))
    return (*specs.values(), *examples)


def _asked_for(module: Module, cases: Sequence[Sizes]) -> Iterator[Sizes]:
    for sizes in cases:
        _require_sizes(module, sizes)
        yield prime_sizes(module.symbols, given=sizes)


def _settings(module: Module) -> Iterator[Sizes]:
    given = module.dimensions or ({},)
    for sizes in given:
        _require_sizes(module, sizes)
    settings = [prime_sizes(module.symbols, given=sizes) for sizes in given]
    settings.append(prime_sizes(module.symbols, given=given[0], reverse=True))
    yield from settings
    # One sample: the batch axis and starred axes in front of others shrink to 1.
    leading = {axis.lstrip("*") for leaf in module.inputs.values() for axis in leaf.dimensions.axes[:1] if "*" in axis}
    single = {module.batch.lstrip("*"), *leading}
    yield {symbol: _single(size) if symbol in single else size for symbol, size in settings[0].items()}


def _require_sizes(module: Module, sizes: Sizes) -> None:
    symbols = [symbol.lstrip("*") for symbol in module.symbols]
    for symbol, size in sizes.items():
        axes = size if isinstance(size, tuple) else (size,)
        if symbol not in symbols or not all(isinstance(axis, int) and axis >= 0 for axis in axes):
            raise DeclarationError(
                f"dimensions give {symbol!r} the size {size!r}; expected whole numbers >= 0 for some of"
                f" {', '.join(symbols) or 'no symbols'}"
            )


def _single(size: Size) -> Size:
    return (1,) * len(size) if isinstance(size, tuple) else 1


def case_name(sizes: Sizes) -> str:
    """Sizes in words, such as ``N=2 D=3``."""
    shown = (f"{k}={'x'.join(map(str, v)) if isinstance(v, tuple) else v}" for k, v in sizes.items())
    return " ".join(shown) or "point"


def generator_for(seed: int, *names: str) -> Generator:
    """A random generator that depends on the seed and on what it is for, and on nothing else.

    Adding or selecting modules therefore changes no other module's point.
    """
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def draw_case(module: Module, spec: CaseSpec, seed: int) -> Case:
    """Draw the leaves of a case, or take them from its example."""
    unknown = [leaf for leaf in module.kinks if leaf not in module.leaves]
    if unknown:
        raise DeclarationError(f"kinks name {', '.join(unknown)}; the leaves are {', '.join(module.leaves)}")
    if spec.example is not None:
        return Case(spec.name, _leaves_of_example(module, spec), spec.example)
    generator = generator_for(seed, module.name, spec.name)
    leaves = {
        name: _draw_off_kinks(declared, spec.sizes, generator, module.kinks.get(name, ()))
        for name, declared in module.leaves.items()
    }
    return Case(spec.name, leaves)


def _leaves_of_example(module: Module, spec: CaseSpec) -> dict[str, Array]:
    if not isinstance(spec.example, Example) or not isinstance(spec.example.leaves, Mapping):
        raise DeclarationError(f"{spec.name} is {spec.example!r}; expected gradcheck.Example({{leaf: value}}, output)")
    leaves: dict[str, Array] = {}
    for name, value in spec.example.leaves.items():
        dtype = module.leaves[name].dtype if name in module.leaves else None
        try:
            leaves[name] = np.asarray(value, dtype=dtype)
        except (TypeError, ValueError) as error:
            raise DeclarationError(
                f"{spec.name}: {name} is {value!r}, which is no array of {dtype}: {error}"
            ) from error
    return leaves


def _draw_off_kinks(declared: Declaration, sizes: Sizes, generator: Generator, kinks: Sequence[float]) -> Array:
    values = declared.draw(generator, sizes)
    for _ in range(_ATTEMPTS):
        near = np.zeros(values.shape, bool)
        for kink in kinks:
            near |= np.abs(values - kink) < _KINK_CLEARANCE
        if not near.any():
            return values
        values = np.where(near, declared.draw(generator, sizes), values)
    raise DeclarationError(f"no values could be drawn further than {_KINK_CLEARANCE:g} from the kinks {tuple(kinks)}")
