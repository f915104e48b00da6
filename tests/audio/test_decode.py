import os

import numpy as np
import pytest
import soundfile

from skbst.audio import ClipLoader, _sound_file, decode, load_clip
from skbst.exceptions import DataFormatError

RATE = 44100


def tone(seconds, rate=RATE, frequency=440.0):
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.fixture
def frames_read(monkeypatch):
    """The number of frames that each read returned."""
    counts = []
    read = soundfile.SoundFile.read

    def counting(self, *args, **kwargs):
        frames = read(self, *args, **kwargs)
        counts.append(len(frames))
        return frames

    monkeypatch.setattr(soundfile.SoundFile, "read", counting)
    return counts


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3", "aiff", "caf", "w64", "au"])
def test_every_format_comes_through(tmp_path, extension):
    path = tmp_path / f"tone.{extension}"
    soundfile.write(path, tone(1.0), RATE)
    waveform, rate, problem = decode(path)
    assert (rate, problem, waveform.dtype) == (RATE, None, np.float32)
    assert abs(len(waveform) - RATE) <= 1152
    spectrum = np.abs(np.fft.rfft(waveform[:RATE]))
    assert spectrum.argmax() * RATE / min(RATE, len(waveform)) == pytest.approx(440, abs=1)
    assert np.abs(waveform).max() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_sample_format_has_the_same_scale(tmp_path, subtype):
    soundfile.write(tmp_path / "tone.wav", tone(0.1), RATE, subtype=subtype)
    waveform, _, _ = decode(tmp_path / "tone.wav")
    np.testing.assert_allclose(waveform, tone(0.1), atol=1 / 120 if subtype == "PCM_U8" else 1 / 32000)


@pytest.mark.parametrize("n_channels", [1, 2, 3, 8])
def test_channels_are_averaged(tmp_path, n_channels):
    frames = np.random.default_rng(0).uniform(-1, 1, (500, n_channels)).astype(np.float32)
    soundfile.write(tmp_path / "many.wav", frames, RATE, subtype="FLOAT")
    waveform, _, problem = decode(tmp_path / "many.wav")
    np.testing.assert_allclose(waveform, frames.astype(float).mean(axis=1), atol=1e-6)
    assert problem is None


@pytest.mark.parametrize(("position", "start"), [(0.0, 0), (0.5, 44100), (1.0, 88200)])
def test_a_crop_is_the_part_it_says(tmp_path, position, start):
    noise = np.random.default_rng(1).uniform(-1, 1, 3 * RATE).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", noise, RATE, subtype="FLOAT")
    waveform, _, _ = decode(tmp_path / "noise.wav", duration=1.0, position=position)
    np.testing.assert_array_equal(waveform, noise[start : start + RATE])


@pytest.mark.parametrize("offset", ["start", "center"])
@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000, 44099])
def test_a_resampled_crop_equals_a_crop_of_the_resampled_whole(tmp_path, rate, offset):
    noise = np.random.default_rng(2).uniform(-0.5, 0.5, 4 * rate).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", noise, rate, subtype="FLOAT")
    whole, _ = load_clip(tmp_path / "noise.wav", duration=None)
    crop, n_valid = load_clip(tmp_path / "noise.wav", duration=1.0, offset=offset)
    start = {"start": 0, "center": (len(whole) - 16000) // 2}[offset]
    shifts = [np.abs(crop - whole[start + shift : start + shift + 16000]).max() for shift in (0, 1)]
    assert min(shifts) < 2e-6
    assert n_valid == 16000


@pytest.mark.parametrize(
    ("extension", "offset", "most"),
    [
        ("wav", "start", 2.15),
        ("wav", "center", 2.15),
        ("flac", "start", 2.15),
        ("flac", "center", 2.15),
        ("ogg", "start", 2.15),
        # seeking in an Ogg may kill the process: what lies before is decoded, never what lies behind
        ("ogg", "center", 31.1),
    ],
)
def test_only_what_is_needed_is_decoded(tmp_path, frames_read, extension, offset, most):
    soundfile.write(tmp_path / f"long.{extension}", np.zeros(60 * 8000, dtype=np.float32), 8000)
    frames_read.clear()
    _, n_valid = load_clip(tmp_path / f"long.{extension}", duration=2.0, offset=offset)
    assert n_valid == 32000
    assert sum(frames_read) <= most * 8000


def test_a_long_file_is_read_in_blocks(tmp_path, monkeypatch):
    noise = np.random.default_rng(3).uniform(-1, 1, (5000, 2)).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", noise, RATE, subtype="FLOAT")
    monkeypatch.setattr(_sound_file, "_BLOCK_SAMPLES", 1400)
    waveform, _, _ = decode(tmp_path / "noise.wav")
    np.testing.assert_allclose(waveform, noise.mean(axis=1), atol=1e-7)


def test_what_is_returned_is_no_view_of_the_buffer(tmp_path):
    for i in range(2):
        soundfile.write(tmp_path / f"{i}.wav", np.full(100, 0.5 * i), RATE)
    first, _, _ = decode(tmp_path / "0.wav")
    decode(tmp_path / "1.wav")
    np.testing.assert_array_equal(first, 0)


@pytest.mark.parametrize("integer", [np.int8, np.int16, np.int32, np.uint8])
def test_integer_arrays_are_scaled(integer):
    top = np.iinfo(integer).max
    waveform, _, _ = ClipLoader(16000, None).load((np.array([0, top], dtype=integer), 16000))
    expected = np.array([-1.0, 1.0]) if integer is np.uint8 else np.array([0.0, 1.0])
    np.testing.assert_allclose(waveform, expected, atol=0.01)


def test_an_array_and_the_file_of_it_give_the_same(tmp_path):
    frames = np.random.default_rng(4).uniform(-1, 1, (3 * RATE, 2)).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", frames, RATE, subtype="FLOAT")
    for options in ({}, {"duration": 1.0, "offset": "center"}, {"duration": None}):
        from_array, n_array = load_clip((frames, RATE), **options)
        from_file, n_file = load_clip(tmp_path / "noise.wav", **options)
        np.testing.assert_array_equal(from_array, from_file)
        assert n_array == n_file


@pytest.mark.parametrize("waveform", [np.zeros((2, 3, 4)), np.array(["a"]), np.array(0.0), np.zeros(3, dtype=complex)])
def test_an_array_that_is_no_sound_is_refused(waveform):
    with pytest.raises(ValueError, match=r"shape \(n_frames,\) or \(n_frames, n_channels\)"):
        load_clip((waveform, RATE))


def test_64_bit_integers_are_refused():
    with pytest.raises(DataFormatError, match=r"int64 has no known full scale: pass int16 or int32"):
        load_clip((np.array([0, 2**14] * 50), RATE))


@pytest.mark.parametrize("rate", [0, -1, 0.5, 44100.5, "44100", None, True, np.nan, np.inf, 1j])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(DataFormatError, match=r"whole number of Hz above 0, such as 44100; got"):
        load_clip((tone(0.1), rate))


@pytest.mark.parametrize("rate", [44100.0, np.int32(44100), np.float32(44100), np.array(44100)])
def test_a_whole_rate_of_any_type(rate):
    np.testing.assert_array_equal(load_clip((tone(0.1), rate))[0], load_clip((tone(0.1), RATE))[0])


@pytest.mark.parametrize("shape", [(2, 16000), (1, 100), (9, 10)])
def test_channels_come_last(shape):
    with pytest.raises(DataFormatError, match=rf"would be {shape[1]} channels. Pass waveform.T"):
        load_clip((np.zeros(shape), RATE))
    assert load_clip((np.zeros(shape).T, RATE), duration=None)[1] > 0
    # a very short sound may have more channels than frames
    assert load_clip((np.zeros((3, 8)), 16000))[1] == 3


def test_a_tuple_is_a_waveform_and_its_rate():
    with pytest.raises(DataFormatError, match=r"\(waveform, sample_rate\); got 3 values"):
        load_clip((np.zeros(3), RATE, "more"))


def test_a_flac_of_unknown_length(tmp_path):
    noise = np.random.default_rng(5).uniform(-0.5, 0.5, 3 * 16000).astype(np.float32)
    path = tmp_path / "stream.flac"
    soundfile.write(path, noise, 16000)
    raw = bytearray(path.read_bytes())
    # STREAMINFO: the low 36 bits of the 8 bytes at 18 are the number of samples
    raw[21] &= 0xF0
    raw[22:26] = bytes(4)
    path.write_bytes(raw)
    for offset in ("start", "center"):
        waveform, n_valid = load_clip(path, duration=1.0, offset=offset)
        start = {"start": 0, "center": 16000}[offset]
        np.testing.assert_allclose(waveform, noise[start : start + 16000], atol=1e-4)
        assert n_valid == 16000


def test_a_name_that_is_no_text(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.wav"
    soundfile.write(path, np.full(100, 0.5), 16000)
    _, n_valid = load_clip(os.fsdecode(path))
    assert n_valid == 100


@pytest.mark.parametrize("rate", [1, 7, 1000, 655350])
def test_strange_rates(tmp_path, rate):
    soundfile.write(tmp_path / "strange.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 5000), rate)
    waveform, n_valid = load_clip(tmp_path / "strange.wav")
    assert n_valid == min(80000, round(5000 * 16000 / rate))
    assert np.isfinite(waveform).all()


def test_many_channels_take_little_memory(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "many.wav", np.full((3000, 1000), 0.25), 16000)
    monkeypatch.setattr(_sound_file._local, "memory", None, raising=False)
    waveform, n_valid = load_clip(tmp_path / "many.wav")
    assert n_valid == 3000
    np.testing.assert_allclose(waveform[:3000], 0.25, rtol=1e-4)
    assert _sound_file._local.memory.size <= _sound_file._BLOCK_SAMPLES
