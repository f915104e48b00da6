import numpy as np
import pytest

from skbst.audio import fix_length, resample
from skbst.audio._resample import resampled_length


@pytest.mark.parametrize(
    ("pad", "expected"),
    [
        ("constant", [1, 2, 3, 0, 0, 0, 0]),
        ("repeat", [1, 2, 3, 1, 2, 3, 1]),
        ("reflect", [1, 2, 3, 2, 1, 2, 3]),
    ],
)
def test_padding(pad, expected):
    fixed, n_valid = fix_length(np.array([1, 2, 3], dtype=np.float32), 7, pad=pad)
    assert fixed.tolist() == expected
    assert n_valid == (3 if pad == "constant" else 7)


@pytest.mark.parametrize("pad", ["constant", "repeat", "reflect"])
@pytest.mark.parametrize("n", [0, 1])
def test_padding_nothing_and_one_sample(pad, n):
    fixed, n_valid = fix_length(np.ones(n, dtype=np.float32), 4, pad=pad)
    assert fixed.tolist() == ([0] * 4 if n == 0 else [1, 0, 0, 0] if pad == "constant" else [1] * 4)
    assert n_valid == (0 if n == 0 else 1 if pad == "constant" else 4)


@pytest.mark.parametrize(("position", "first"), [(0.0, 0), (0.5, 4), (0.999, 7), (1.0, 7)])
def test_cropping(position, first):
    fixed, n_valid = fix_length(np.arange(10, dtype=np.float32), 3, position=position)
    assert fixed.tolist() == [first, first + 1, first + 2]
    assert n_valid == 3


def test_all_of_the_output_is_written():
    out = np.full(5, np.nan, dtype=np.float32)
    fixed, _ = fix_length(np.ones(2, dtype=np.float32), 5, out=out)
    assert fixed is out
    assert out.tolist() == [1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("source_rate", "sample_rate"), [(44100, 16000), (8000, 16000), (48000, 16000), (11025, 48000)]
)
def test_resampled_tone(source_rate, sample_rate):
    t = np.arange(source_rate) / source_rate
    tone = np.sin(2 * np.pi * 1000 * t).astype(np.float32)
    resampled = resample(tone, source_rate, sample_rate)
    assert len(resampled) == sample_rate
    assert resampled.dtype == np.float32
    expected = np.sin(2 * np.pi * 1000 * np.arange(sample_rate) / sample_rate)
    inside = slice(sample_rate // 10, -sample_rate // 10)
    np.testing.assert_allclose(resampled[inside], expected[inside], atol=1e-4)


def test_what_lies_above_the_new_band_is_gone():
    t = np.arange(44100) / 44100
    resampled = resample(np.sin(2 * np.pi * 12000 * t).astype(np.float32), 44100, 16000)
    assert np.abs(resampled[1000:-1000]).max() < 1e-4


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 100, 101, 44101])
@pytest.mark.parametrize(
    ("source_rate", "sample_rate"), [(44100, 16000), (8000, 16000), (192000, 8000), (44099, 16000)]
)
def test_number_of_samples(n, source_rate, sample_rate):
    expected = 0 if n == 0 else max(1, round(n * sample_rate / source_rate))
    assert resampled_length(n, source_rate, sample_rate) == expected
    assert len(resample(np.ones(n, dtype=np.float32), source_rate, sample_rate)) == expected


def test_equal_rates_cost_nothing():
    waveform = np.ones(3, dtype=np.float32)
    assert resample(waveform, 8000, 8000) is waveform
