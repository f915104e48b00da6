import pytest

import skbst.datasets
import skbst.submission

NAMES = ("measure_complexity", "verify_submission", "write_submission")


def test_public_names():
    assert sorted(skbst.submission.__all__) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_datasets_still_has_them(name):
    assert getattr(skbst.datasets, name) is getattr(skbst.submission, name)
    assert name in dir(skbst.datasets)
    namespace = {}
    exec(f"from skbst.datasets import {name}\nfrom skbst.datasets import *", namespace)
    assert namespace[name] is getattr(skbst.submission, name)


def test_other_names_are_no_attributes():
    with pytest.raises(AttributeError, match=r"'skbst\.datasets' has no attribute 'write_everything'"):
        _ = skbst.datasets.write_everything
