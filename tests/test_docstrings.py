"""Public docstrings are whole: each describes every parameter, in the order of the signature."""

import dataclasses
import inspect

import pytest

import skbst
from skbst._docstrings import _entries, _sections, completed_by

ROOMS = [name for name in skbst.__all__ if not name.startswith("_")]
PUBLIC = {
    f"skbst.{room}.{name}": getattr(getattr(skbst, room), name)
    for room in ROOMS
    for name in getattr(skbst, room).__all__
    if inspect.isclass(getattr(getattr(skbst, room), name)) or inspect.isfunction(getattr(getattr(skbst, room), name))
}


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_parameter_is_described_in_order(name):
    item = PUBLIC[name]
    own = not inspect.isclass(item) or "__init__" in vars(item)
    names = list(inspect.signature(item).parameters) if own else []
    sections = _sections(inspect.getdoc(item))
    described = list(_entries(sections.get("Parameters", "")))
    if dataclasses.is_dataclass(item) and not described:
        described = list(_entries(sections.get("Attributes", "")))
    places = [described.index(name) for name in names if name in described]
    assert [name for name in names if name not in described] == []
    assert places == sorted(places)


def base(first, *, second=1e-6, third="a"):
    """Do something.

    Parameters
    ----------
    first : int
        One.

    second : float, default=1e-6
        Two,

        with a paragraph.

    third : {"a", "b"}, default="a"
        Three.
    """


def test_missing_parts_come_from_the_base_with_the_defaults_of_the_signature():
    @completed_by(base)
    def derived(first, *, second=0.000001, own=None, third="b"):
        """Do more.

        At length.

        Parameters
        ----------
        own : int, default=None
            Mine.

        Returns
        -------
        result : int
        """

    assert derived.__doc__.splitlines() == [
        *("Do more.", "", "At length.", "", "Parameters", "----------"),
        *("first : int", "    One.", ""),
        *("second : float, default=1e-6", "    Two,", "", "    with a paragraph.", ""),
        *("own : int, default=None", "    Mine.", ""),
        *('third : {"a", "b"}, default="b"', "    Three.", ""),
        *("Returns", "-------", "result : int"),
    ]


def test_python_that_keeps_no_docstrings():
    def bare(first):
        pass

    assert completed_by(base)(bare).__doc__ is None
