import re

import pytest

import gradcheck
from gradcheck.algebra.unification import fresh, substituted, substituted_declaration, unify
from gradcheck.values.dimensions import Dimensions
from gradcheck.values.errors import DeclarationError


@pytest.mark.parametrize(
    ("wanted", "given", "common"),
    [
        ("P Q", "N M", "N M"),
        ("*A", "N M", "N M"),
        ("*A K", "N D M", "N D M"),
        ("P Q", "*B", "P Q"),
        ("*A K", "*B", "*A K"),
        ("*A", "*B K", "*B K"),
        ("*A", "*B", "*B"),
        ("P *A Q", "N *B", "N *A Q"),
        ("*A", "", ""),
        ("P 3", "N M", "N 3"),
        ("P Q", "N 3", "N 3"),
        ("P P", "N M", "M M"),
        ("P P", "3 M", "3 3"),
        ("*A K", "N *B", "N *A_B K"),
        ("3 *A", "*B 4 4 N", "3 *B_A 4 4 N"),
    ],
)
def test_unified_dimensions_are_equal(wanted: str, given: str, common: str) -> None:
    one, other = Dimensions.parse(wanted), Dimensions.parse(given)
    found = unify(one, other, {})
    assert str(substituted(one, found)) == str(substituted(other, found)) == common


@pytest.mark.parametrize(
    ("wanted", "given"),
    [("N 3", "P 4"), ("N D", "P"), ("N D", ""), ("P P", "3 4"), ("N N *A", "M")],
)
def test_what_does_not_fit_is_refused(wanted: str, given: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(f"dimensions '{given}' do not fit '{wanted}'")):
        unify(Dimensions.parse(wanted), Dimensions.parse(given), {})


def test_fresh_names_clash_with_nothing() -> None:
    assert fresh(["M", "K"], {"M", "M2"}) == {"M": ("M3",), "K": ("K",)}


@pytest.mark.parametrize(("name", "classes"), [("K2", "K2"), ("10", 10)])
def test_classes_are_renamed_with_the_axes(name: str, classes: str | int) -> None:
    renamed = substituted_declaration(gradcheck.labels("N", classes="K"), {"K": (name,)})
    assert renamed == gradcheck.labels("N", classes=classes)
