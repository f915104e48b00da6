"""Long sounds, block by block, against the same sounds as a whole."""

import numpy as np
import pytest
import soundfile
import torch

from skbst.audio import LongSound
from skbst.features import ClapAudioFeaturizer
from skbst.features._clap import _audio_run
from skbst.features._clap._frontend import AudioSpec, log_mel, prepare, thirds
from skbst.features._clap._long_mel import Shrunk, mel_groups, prepare_long

SMALL = AudioSpec(max_samples=48000)
PLAIN = AudioSpec(max_samples=48000, fusion=False)


def noise(n, seed=0):
    generator = np.random.default_rng(seed)
    return (generator.normal(scale=0.1, size=n) * np.linspace(0.1, 1, n)).astype(np.float32)


def in_blocks(waveform, size):
    return (waveform[i : i + size] for i in range(0, len(waveform), size))


@pytest.mark.parametrize("n_samples", [480 * 4096 + delta for delta in (-1, 0, 1, 700)] + [480 * 9000 + 13, 60000])
@pytest.mark.parametrize("size", [1000, 262144])
def test_frames_are_those_of_the_whole_to_the_bit(n_samples, size):
    waveform = noise(n_samples)
    groups = list(mel_groups(in_blocks(waveform, size), n_samples, SMALL))
    assert [first for first, _ in groups] == list(range(0, n_samples // 480 + 1, 4096))
    np.testing.assert_array_equal(torch.cat([mel for _, mel in groups]), log_mel(waveform, SMALL))


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("n_rows", [101, 102, 999, 4097, 360001])
def test_rows_are_shrunk_as_torch_does(n_rows, antialias):
    rows = np.random.default_rng(0).normal(size=(n_rows, 3)).astype(np.float32) * 20 - 40
    shrunk = Shrunk(n_rows, 101, 3, antialias=antialias)
    for first in range(0, n_rows, 4096):
        shrunk.add(first, rows[first : first + 4096])
    options = {"size": (101, 3), "mode": "bilinear", "align_corners": False, "antialias": antialias}
    expected = torch.nn.functional.interpolate(torch.from_numpy(rows)[None, None], **options)[0, 0]
    np.testing.assert_allclose(shrunk.image, expected, atol=2e-4)


@pytest.mark.parametrize("spec", [SMALL, PLAIN], ids=["fusion", "one window"])
@pytest.mark.parametrize("n_samples", [96001, 2_500_000])
def test_the_input_of_the_encoder_is_that_of_the_whole(spec, n_samples):
    waveform = noise(n_samples)
    starts = thirds(n_samples, spec)
    made = prepare_long(in_blocks(waveform, 5000), n_samples, spec, starts)
    np.testing.assert_allclose(made, prepare(waveform, spec, starts), atol=2e-4)
    np.testing.assert_array_equal(made[1:], prepare(waveform, spec, starts)[1:])


def test_a_sound_that_is_shorter_than_it_says_ends_in_zeros():
    waveform = noise(60000)
    padded = np.pad(waveform, (0, 40))
    made = prepare_long(in_blocks(waveform, 7000), 60040, SMALL, thirds(60040, SMALL))
    np.testing.assert_allclose(made, prepare(padded, SMALL, thirds(60040, SMALL)), atol=2e-4)


@pytest.mark.parametrize(
    "options", [{}, {"quantize": True, "windows": "random", "random_state": 3}, {"antialias": False}]
)
@pytest.mark.parametrize("backend", ["laion-clap", "transformers"])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_vectors_of_long_sounds_are_those_of_whole_ones(tmp_path, monkeypatch, laion_module, backend, options, rate):
    featurizer = ClapAudioFeaturizer(str(laion_module[1]), backend=backend, n_jobs=1, **options)
    sounds = []
    for i, seconds in enumerate((12.0, 31.7)):
        sounds.append(tmp_path / f"{i}.flac")
        soundfile.write(sounds[-1], noise(round(seconds * rate), i), rate)
    sounds.append((noise(25 * rate, 5), rate))
    expected = featurizer.fit_transform(sounds)
    monkeypatch.setattr(_audio_run, "_LONGEST_WHOLE", 10 * 48000)
    seen = []
    monkeypatch.setattr(_audio_run, "LongSound", lambda *args: seen.append(args) or LongSound(*args))
    np.testing.assert_allclose(featurizer.transform(sounds), expected, atol=1e-6)
    assert len(seen) == 3
