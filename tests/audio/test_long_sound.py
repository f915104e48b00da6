"""Sounds that are read block by block, against the same read at once."""

import numpy as np
import pytest
import soundfile

from skbst.audio import LongSound, load_clips
from skbst.audio import _long_sound as long_sound


def noise(n, channels=1, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, (n, channels)).clip(-0.9, 0.9).astype(np.float32)


def whole(source, rate):
    waveforms, n_valid, report = load_clips([source], sample_rate=rate, duration=None)
    return waveforms[0][: n_valid[0]], report["reason"].tolist(), report["detail"].tolist()


def compare(source, rate):
    sound = LongSound(source, rate)
    made = np.concatenate([np.zeros(0, dtype=np.float32), *sound.blocks()])
    expected, reasons, details = whole(source, rate)
    problem = sound.problem
    assert ([problem.reason], [problem.detail]) == (reasons, details) if problem else reasons == []
    assert sound.n_samples == len(made) == len(expected)
    np.testing.assert_allclose(made, expected, atol=1e-6)
    return sound, made


@pytest.mark.parametrize("rates", [(44100, 16000), (16000, 48000), (22050, 22050)])
@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_blocks_are_those_of_the_whole(tmp_path, kind, rates):
    path = tmp_path / f"x.{kind.lower()}"
    soundfile.write(path, noise(30 * rates[0]), rates[0], format=kind)
    sound, _ = compare(path, rates[1])
    # and again, because nothing is used up
    assert sum(map(len, sound.blocks())) == sound.n_samples


@pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning")
def test_rules_about_levels_and_channels_need_the_whole_sound(tmp_path):
    pair = noise(700_000)
    loud = 3 * noise(700_000)
    loud[600_000] = 9.0
    integers = 20000 * noise(700_000)
    wild = noise(700_000)
    wild[5] = np.inf
    wild[650_000:650_003] = 1e8
    sounds = {"turned": np.hstack([pair, -0.9 * pair]), "loud": loud, "integers": integers, "wild": wild}
    for name, samples in sounds.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, 16000, subtype="FLOAT")
        sound, made = compare(tmp_path / f"{name}.wav", 8000)
        assert sound.problem is not None
        assert 0 < np.abs(made).max() < 1.5


@pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning")
def test_damage_and_joined_files_are_named(tmp_path):
    soundfile.write(tmp_path / "a.flac", noise(400_000), 16000)
    data = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(data[: len(data) // 2])
    soundfile.write(tmp_path / "b.flac", noise(400_000, seed=1), 44100)
    (tmp_path / "joined.flac").write_bytes(data + (tmp_path / "b.flac").read_bytes())
    (tmp_path / "empty.flac").write_bytes(b"")
    (tmp_path / "text.flac").write_bytes(b"no sound")
    for name in ("cut", "joined", "empty", "text"):
        compare(tmp_path / f"{name}.flac", 16000)
    assert LongSound(tmp_path / "gone.wav", 16000).problem.reason == "not found"


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_arrays(dtype):
    waveform = noise(900_000, channels=2)
    waveform = (waveform * 32767).astype(dtype) if dtype == np.int16 else waveform
    compare((waveform, 16000), 22050)


def test_what_takes_for_ever_is_too_long(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "slow.wav", noise(6000), 1)
    assert LongSound(tmp_path / "slow.wav", 48000).problem.reason == "too long"
    soundfile.write(tmp_path / "x.wav", noise(600_000), 16000)
    monkeypatch.setattr(long_sound, "_MAX_STREAMED", 500_000)
    sound = LongSound(tmp_path / "x.wav", 16000)
    assert (sound.problem.reason, sound.n_samples, list(sound.blocks())) == ("too long", 0, [])


def test_memory_does_not_grow_with_the_sound(tmp_path, monkeypatch):
    path, sizes = tmp_path / "x.flac", []
    with soundfile.SoundFile(path, "w", 16000, 1) as file:
        for _ in range(20):
            file.write(np.zeros(1 << 20, dtype=np.float32))
    for block in LongSound(path, 16000).blocks():
        sizes.append(len(block))
    assert sum(sizes) == 20 << 20
    assert max(sizes) < 1 << 19
