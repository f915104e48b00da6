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
        ("CC BY 4.0", "BY"),
        ("Attribution 4.0", "BY"),
        ("CC-BY-NC-SA-4.0", "BY-NC-SA"),
        ("CC0-1.0", "CC0"),
        ("Creative Commons CC0 1.0 Universal Public Domain Dedication", "CC0"),
        ("Attribution 4.0 International (CC BY 4.0)", "BY"),
        ("Attribution-NonCommercial 3.0 Unported", "BY-NC"),
        ("Attribution Non-Commercial NoDerivs", "BY-NC-ND"),
        ("Creative Commons Attribution-ShareAlike 4.0 International License", "BY-SA"),
        ("Public Domain Mark 1.0", "PDM"),
        ("Sampling Plus 1.0", "SAMPLING+"),
        ("Sampling+", "SAMPLING+"),
        # a word that is not understood may take a right away
        ("CC BY 4.0, not for training", "unknown"),
        ("CC BY or CC BY-NC", "unknown"),
        ("CC BY 非営利", "unknown"),
        ("CC BY?", "unknown"),
        ("CC BY+", "unknown"),
        ("public domain", "unknown"),
        ("Noncommercial", "unknown"),
        ("Creative Commons", "unknown"),
        ("All rights reserved", "unknown"),
        ("https://example.org/by/4.0", "unknown"),
        ("https://creativecommons.org/licenses/by-magic/4.0/", "unknown"),
        ("", "unknown"),
    ],
)
def test_license_kind(text, kind):
    assert license_kind(text) == kind
