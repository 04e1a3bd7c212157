import pytest

import gradcheck
from gradcheck.algebra.renaming import fresh, renamed_declaration, unify
from gradcheck.values.dimensions import Dimensions
from gradcheck.values.errors import DeclarationError


@pytest.mark.parametrize(
    ("wanted", "given", "renaming"),
    [
        ("N D", "N M", {"N": ("N",), "D": ("M",)}),
        ("*B", "N M", {"*B": ("N", "M")}),
        ("*B K", "*B", None),
        ("*B", "*C", {"*B": ("*C",)}),
        ("N 3", "N 3", {"N": ("N",), "3": ("3",)}),
        ("N 3", "N 4", None),
        ("N N", "N M", None),
        ("N D", "N", None),
    ],
)
def test_unify(wanted: str, given: str, renaming: dict[str, tuple[str, ...]] | None) -> None:
    if renaming is None:
        with pytest.raises(DeclarationError, match="do not fit"):
            unify(Dimensions.parse(wanted), Dimensions.parse(given))
    else:
        found = unify(Dimensions.parse(wanted), Dimensions.parse(given))
        assert {symbol: names for symbol, names in found.items() if not symbol.isdigit()} == {
            symbol: names for symbol, names in renaming.items() if not symbol.isdigit()
        }


def test_fresh_names_clash_with_nothing() -> None:
    assert fresh(["M", "K"], {"M", "M2"}) == {"M": ("M3",), "K": ("K",)}


@pytest.mark.parametrize(("name", "classes"), [("K2", "K2"), ("10", 10)])
def test_classes_are_renamed_with_the_axes(name: str, classes: str | int) -> None:
    renamed = renamed_declaration(gradcheck.labels("N", classes="K"), {"K": (name,)})
    assert renamed == gradcheck.labels("N", classes=classes)
