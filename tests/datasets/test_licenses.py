import pytest

from skbst.datasets._licenses import license_kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "PDM"),
        ("https://creativecommons.org/licenses/by/4.0/", "BY"),
        ("http://creativecommons.org/licenses/by/3.0/", "BY"),
        ("http://creativecommons.org/licenses/by-nc/3.0/", "BY-NC"),
        ("https://creativecommons.org/licenses/by-nc/4.0/", "BY-NC"),
        ("http://creativecommons.org/licenses/sampling+/1.0/", "SAMPLING+"),
        ("https://creativecommons.org/licenses/by-sa/4.0/", "BY-SA"),
        ("https://creativecommons.org/licenses/by-nd/4.0/", "BY-ND"),
        ("Creative Commons 0", "CC0"),
        ("Attribution NonCommercial", "BY-NC"),
        ("Attribution", "BY"),
        ("https://example.org/by/4.0", "unknown"),
        ("https://creativecommons.org/licenses/by-magic/4.0/", "unknown"),
        ("", "unknown"),
    ],
)
def test_license_kind(text, kind):
    assert license_kind(text) == kind
