"""Channels that cancel, floats of another scale, more than fits into memory, and what decoders print."""

import os
import struct
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import soundfile

from skbst.audio import ClipLoader, load_clip, load_clips
from skbst.audio._quiet import decoders_held_back

pytestmark = pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning")
RATE = 16000


def noise(n_frames=RATE, seed=0, level=0.2):
    return np.random.default_rng(seed).normal(0, level, n_frames).clip(-0.9, 0.9).astype(np.float32)


def load(source, **options):
    waveforms, _, report = load_clips([source], **{"duration": None, **options})
    return waveforms[0], report["reason"].tolist(), report["detail"].tolist()


def from_file(tmp_path, frames):
    soundfile.write(tmp_path / "x.wav", frames, RATE, subtype="FLOAT")
    return tmp_path / "x.wav"


def from_array(tmp_path, frames):
    return np.asarray(frames, dtype=np.float32), RATE


@pytest.mark.parametrize("source", [from_file, from_array])
@pytest.mark.parametrize(
    ("weights", "loudest"),
    [((1, -1), 0), ((-1, 1), 0), ((0.99, -1), 1), ((1, 1, -2), 2), ((1, -1, 1, -1), 0), ((0.5, 0, -0.5, 0), 0)],
)
def test_channels_that_cancel_give_the_loudest(tmp_path, source, weights, loudest):
    frames = noise()[:, None] * np.array(weights) * 0.5
    waveform, reasons, details = load(source(tmp_path, frames))
    assert reasons == ["channels cancel"]
    assert f"channel {loudest + 1}" in details[0]
    np.testing.assert_allclose(waveform, frames[:, loudest], atol=1e-6)


@pytest.mark.parametrize("source", [from_file, from_array])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_channels_that_cancel_in_a_part(tmp_path, source, share):
    sound, turned = noise(5 * RATE), noise(5 * RATE).copy()
    turned[: int(share * len(sound))] *= -1
    waveform, reasons, _ = load(source(tmp_path, np.stack([sound, turned], axis=1)))
    assert reasons == ["channels cancel"]
    np.testing.assert_allclose(waveform, sound, atol=1e-6)


@pytest.mark.parametrize("n_channels", [2, 3, 8])
def test_unrelated_channels_are_averaged(tmp_path, n_channels):
    frames = np.stack([noise(seed=i) for i in range(n_channels)], axis=1)
    frames[:, 1] *= -0.5
    waveform, reasons, _ = load(from_file(tmp_path, frames))
    assert reasons == []
    np.testing.assert_allclose(waveform, frames.mean(axis=1), atol=1e-6)


def test_silence_does_not_cancel(tmp_path):
    assert load(from_file(tmp_path, np.zeros((RATE, 2))))[1] == []


@pytest.mark.parametrize("source", [from_file, from_array])
@pytest.mark.parametrize("scale", [2**15, 2**23, 2**31])
@pytest.mark.parametrize("level", [0.9, 0.02])
def test_floats_of_integer_scale(tmp_path, source, scale, level):
    if level * scale < 2**15 and scale > 2**15:
        pytest.skip("cannot be told from 16 bits")
    sound = level * np.sin(np.arange(RATE) / 9).astype(np.float32)
    waveform, reasons, details = load(source(tmp_path, np.round(sound * scale)))
    assert reasons == ["integer scale"]
    assert f"divided by {scale}" in details[0]
    np.testing.assert_allclose(waveform, sound, atol=1 / 2**14)


def test_floats_that_are_too_loud_are_divided_by_their_largest(tmp_path):
    sound = 5 * np.sin(np.arange(RATE) / 9).astype(np.float32)
    waveform, reasons, _ = load(from_file(tmp_path, sound))
    assert reasons == ["out of range"]
    np.testing.assert_allclose(waveform, sound / np.abs(sound).max(), atol=1e-6)


def test_a_small_overshoot_is_left_alone(tmp_path):
    sound = 1.5 * np.sin(np.arange(RATE) / 9).astype(np.float32)
    waveform, reasons, _ = load(from_file(tmp_path, sound))
    assert reasons == []
    np.testing.assert_array_equal(waveform, sound)


@pytest.mark.parametrize("wild", [1000.0, 1e5, 1e9, 1e30])
def test_a_few_wild_samples_do_not_silence_the_rest(tmp_path, wild):
    sound = noise()
    sound[[5, 700]] = wild, -wild
    waveform, reasons, details = load(from_file(tmp_path, sound))
    assert reasons == ["non-finite samples"]
    assert details == ["2 samples set to 0"]
    np.testing.assert_array_equal(np.delete(waveform, [5, 700]), np.delete(sound, [5, 700]))


def slow_wav(rate, n_bytes):
    data = (bytes(range(256)) * (n_bytes // 256 + 1))[:n_bytes]
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + n_bytes) + b"WAVEfmt " + form + b"data" + struct.pack("<I", n_bytes) + data


@pytest.mark.parametrize("rate", [1, 3, 7])
def test_a_bound_before_memory_is_taken(tmp_path, rate):
    path = tmp_path / "slow.wav"
    path.write_bytes(slow_wav(rate, 400_000))
    waveforms, n_valid, report = load_clips([path, (np.full(50, 0.5), RATE)], duration=None, sample_rate=48000)
    assert report["reason"].tolist() == ["too long"]
    assert "pass a duration" in report["detail"].iloc[0]
    assert (n_valid[0], len(waveforms[1])) == (0, 150)
    # a crop of it is small
    assert load_clip(path, duration=5.0)[1] == 80000


def header_of_channels(n_channels):
    """A WAV that says it has so many, with 4 kB of samples."""
    form = struct.pack("<IHHIIHH", 16, 1, n_channels, RATE, 0xFFFFFFFF, 2 * n_channels & 0xFFFF, 16)
    return b"RIFF\xff\xff\xff\xffWAVEfmt " + form + b"data" + b"\xf0\xff\xff\xff" + b"\0\1" * 2048


@pytest.mark.parametrize("duration", [None, 1.0])
def test_no_memory_for_channels_that_a_header_makes_up(tmp_path, duration):
    sources = [tmp_path / f"{n_channels}.wav" for n_channels in (65535, 32768, 1025, 1024)]
    for source in sources:
        source.write_bytes(header_of_channels(int(source.stem)))
    tracemalloc.start()
    try:
        _, n_valid, report = load_clips([*sources, (np.ones(RATE), RATE)], duration=duration, sample_rate=RATE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report["position"].tolist() == [0, 1, 2]
    assert report["reason"].tolist() == ["not decodable"] * 3
    # lengths of only ones are those of a recorder that never finished: its two frames of 1024 channels are all
    assert n_valid.tolist() == [0, 0, 0, 2, RATE]
    assert peak < 64e6


def test_hours_of_silence_in_a_small_file_take_no_memory(tmp_path):
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for _ in range(120):
            file.write(np.zeros(60 * RATE, dtype=np.int16))
    assert path.stat().st_size < 1e6
    tracemalloc.start()
    try:
        # whole it would have 346 million samples
        whole = load_clips([path, (np.full(50, 0.5), RATE)], duration=None, sample_rate=48000)
        crop = load_clips([path], duration=1.0, offset="center", sample_rate=RATE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert whole[2]["reason"].tolist() == ["too long"]
    assert (whole[1].tolist(), crop[1].tolist(), len(crop[2])) == ([0, 150], [RATE], 0)
    assert peak < 64e6


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of memory")
def test_a_memory_error_is_the_record_of_its_sound(tmp_path):
    # silence of 2 hours takes a few hundred kB as FLAC, and a gigabyte as floats
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 32000, 1) as file:
        for _ in range(120):
            file.write(np.zeros(60 * 32000, dtype=np.int16))
    code = f"""
import resource, warnings
import numpy as np
from skbst.audio import load_clips
warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
_, n_valid, report = load_clips([{str(path)!r}, (np.ones(5), 16000)], duration=None)
print(report["reason"].tolist(), n_valid.tolist())
"""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.strip() == "['out of memory'] [0, 5]", done.stderr


def test_a_long_sound_needs_no_memory_for_a_crop(tmp_path):
    sound = np.random.default_rng(0).integers(-9000, 9000, 30 * RATE).astype(np.int16)
    soundfile.write(tmp_path / "cut.flac", sound, RATE)
    data = (tmp_path / "cut.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(data[: len(data) // 2])
    waveform, n_valid, problem = ClipLoader(RATE, 1.0).load(tmp_path / "cut.flac", 0.5)
    assert (n_valid, problem.reason) == (RATE, "truncated")
    whole = load(tmp_path / "cut.flac")[0]
    start = int(0.5 * (len(whole) - RATE + 1))
    np.testing.assert_allclose(waveform, whole[start : start + RATE], atol=1e-6)


def test_notes_of_decoders_are_held_back_and_others_come_through(capfd):
    with decoders_held_back():
        os.write(2, b"[src/libmpg123/layer3.c:do():1] error: part2_3_length too large\nmine\n")
        os.write(1, b"also mine\n")
        with decoders_held_back():
            os.write(2, b"inner\n")
    os.write(2, b"after\n")
    out, err = capfd.readouterr()
    assert out == "also mine\n"
    assert err == "mine\ninner\nafter\n"


def test_a_damaged_mp3_prints_nothing(tmp_path, capfd):
    soundfile.write(tmp_path / "x.mp3", noise(5 * RATE), RATE)
    data = bytearray((tmp_path / "x.mp3").read_bytes())
    for place in np.random.default_rng(0).integers(1000, len(data), 200):
        data[place] ^= 0x55
    (tmp_path / "x.mp3").write_bytes(data)
    capfd.readouterr()
    load(tmp_path / "x.mp3")
    assert capfd.readouterr() == ("", "")
