"""Files whose header does not say what they hold."""

import io
import struct

import numpy as np
import pytest
import soundfile

from skbst.audio import load_clips

pytestmark = pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning")
RATE = 16000
EXTENSIONS = {"SVX": "svx", "IRCAM": "sf", "NIST": "sph", "MAT4": "mat", "MAT5": "mat", "MPC2K": "snd"}
WITH_LENGTH = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "VOC", "NIST", "SVX", "AVR", "MAT4", "MPC2K", "FLAC")
WITHOUT_LENGTH = ("IRCAM", "PAF", "PVF")


def tone(seconds, frequency=440.0, level=0.3, rate=RATE):
    return (level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encoded(waveform, kind, rate=RATE, **options):
    out = io.BytesIO()
    soundfile.write(out, waveform, rate, format=kind, **options)
    return out.getvalue()


def load(path, **options):
    waveforms, n_valid, report = load_clips([path], sample_rate=RATE, **{"duration": None, **options})
    return waveforms[0], n_valid[0], report["reason"].tolist(), report["detail"].tolist()


@pytest.mark.parametrize("kind", WITH_LENGTH)
@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("duration", [None, 1.0])
def test_what_is_cut_is_named(tmp_path, kind, share, duration):
    data = encoded(tone(5.0), kind, subtype="PCM_16")
    path = tmp_path / f"cut.{EXTENSIONS.get(kind, kind.lower())}"
    path.write_bytes(data[: int(share * len(data))])
    waveform, n_valid, reasons, _ = load(path, duration=duration)
    assert reasons == ["truncated"]
    expected = share * 5 if duration is None else duration
    assert n_valid / RATE == pytest.approx(expected, abs=0.3)
    np.testing.assert_allclose(waveform[: n_valid - 8], tone(5.0)[: n_valid - 8], atol=1e-3)


@pytest.mark.parametrize("kind", WITH_LENGTH)
@pytest.mark.parametrize("n_channels", [1, 2])
def test_what_is_whole_has_no_record(tmp_path, kind, n_channels):
    if (kind, n_channels) == ("SVX", 2):
        pytest.skip("libsndfile writes one channel only")
    sound = np.stack([tone(1.0)] * n_channels, axis=1)
    path = tmp_path / f"whole.{EXTENSIONS.get(kind, kind.lower())}"
    path.write_bytes(encoded(sound, kind, subtype="PCM_16"))
    waveform, n_valid, reasons, _ = load(path)
    assert (n_valid, reasons) == (RATE, [])
    np.testing.assert_allclose(waveform, tone(1.0), atol=1e-3)


@pytest.mark.parametrize("kind", WITHOUT_LENGTH)
def test_a_container_without_length_says_so(tmp_path, kind):
    path = tmp_path / f"half.{EXTENSIONS.get(kind, kind.lower())}"
    data = encoded(tone(2.0), kind, subtype="PCM_16")
    path.write_bytes(data[: len(data) // 2])
    _, n_valid, reasons, _ = load(path)
    assert 0 < n_valid < 1.1 * RATE
    assert reasons == ["length not stated"]


def wav(samples, said, *, riff=None, tail=b""):
    content = samples.astype("<i2").tobytes() + tail
    form = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    head = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", said)
    return b"RIFF" + struct.pack("<I", len(head) + len(content) if riff is None else riff) + head + content


@pytest.mark.parametrize("riff", [0, 0xFFFFFFFF, None])
@pytest.mark.parametrize(("said", "reasons"), [(0, ["unfinished header"]), (0xFFFFFFFF, []), (0x7FFFFFFF, [])])
@pytest.mark.parametrize("odd", [b"", b"\1"])
def test_a_wav_whose_header_was_never_finished(tmp_path, said, reasons, riff, odd):
    samples = 10000 * np.sin(np.arange(2 * RATE) / 9)
    (tmp_path / "crashed.wav").write_bytes(wav(samples, said, riff=riff, tail=odd))
    waveform, n_valid, found, _ = load(tmp_path / "crashed.wav")
    assert (n_valid, found) == (2 * RATE, reasons)
    np.testing.assert_allclose(waveform, samples / 32768, atol=1e-4)


def test_a_middle_of_an_unfinished_wav(tmp_path):
    samples = np.random.default_rng(0).integers(-9000, 9000, 3 * RATE)
    (tmp_path / "crashed.wav").write_bytes(wav(samples, 0))
    waveform, _, reasons, _ = load(tmp_path / "crashed.wav", duration=1.0, offset="center")
    assert reasons == ["unfinished header"]
    np.testing.assert_allclose(waveform, samples[RATE : 2 * RATE] / 32768, atol=1e-6)


def test_an_empty_wav_with_a_list_behind_is_empty(tmp_path):
    tags = b"LIST" + struct.pack("<I", 10) + b"INFOabcdef"
    (tmp_path / "empty.wav").write_bytes(wav(np.zeros(0), 0, tail=tags))
    assert load(tmp_path / "empty.wav")[1:3] == (0, ["no samples"])


@pytest.mark.parametrize(
    ("kind", "mark", "place", "form"),
    [("AIFF", b"SSND", 4, ">I"), ("AU", b".snd", 8, ">I"), ("W64", b"data", 16, "<q"), ("RF64", b"ds64", 16, "<q")],
)
def test_other_headers_that_were_never_finished(tmp_path, kind, mark, place, form):
    data = bytearray(encoded(tone(2.0), kind, subtype="PCM_16"))
    at = data.index(mark) + place
    data[at : at + struct.calcsize(form)] = bytes(struct.calcsize(form))
    path = tmp_path / f"crashed.{kind.lower()}"
    path.write_bytes(data)
    waveform, n_valid, reasons, _ = load(path)
    assert (n_valid, reasons) == (2 * RATE, ["unfinished header"])
    np.testing.assert_allclose(waveform, tone(2.0), atol=1e-3)


JOINED = {"ogg": {"subtype": "VORBIS"}, "opus": {"subtype": "OPUS"}, "mp3": {}, "flac": {}}
KINDS = {"ogg": "OGG", "opus": "OGG", "mp3": "MP3", "flac": "FLAC"}


def spectrum_peak(waveform):
    return np.abs(np.fft.rfft(waveform)).argmax() * RATE / len(waveform)


@pytest.mark.parametrize("extension", JOINED)
@pytest.mark.parametrize("rates", [(16000, 16000, 16000), (16000, 48000, 16000)])
def test_joined_files_are_read_whole(tmp_path, extension, rates):
    path = tmp_path / f"joined.{extension}"
    pitches = (440, 880, 1760)
    data = [
        encoded(tone(2.0, pitch, rate=rate), KINDS[extension], rate, **JOINED[extension])
        for pitch, rate in zip(pitches, rates)
    ]
    path.write_bytes(b"".join(data))
    waveform, n_valid, reasons, _ = load(path)
    assert reasons == ["joined files"]
    assert n_valid / RATE == pytest.approx(6.0, abs=0.2)
    for i, pitch in enumerate(pitches):
        middle = waveform[int((2 * i + 0.5) * RATE) : int((2 * i + 1.5) * RATE)]
        assert spectrum_peak(middle) == pytest.approx(pitch, abs=3)
    middle, _, _, _ = load(path, duration=1.0, offset="center")
    assert spectrum_peak(middle) == pytest.approx(880, abs=3)


def mp3_frames(data):
    """Frames of an MPEG 2 layer III stream of 16 kHz without the one that tells the length."""
    bitrates, frames, at = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160), [], 0
    while at + 4 <= len(data):
        if data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
            at += 1
            continue
        length = 72000 * bitrates[data[at + 2] >> 4] // RATE + (data[at + 2] >> 1 & 1)
        frames.append(data[at : at + length])
        at += length
    return [frame for frame in frames if b"Xing" not in frame and b"Info" not in frame]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("tag", [b"", b"ID3\4\0\0\0\0\0\x0a" + bytes(10)])
def test_an_mp3_that_does_not_tell_its_length(tmp_path, order, tag):
    options = {"bitrate_mode": "CONSTANT"}
    loud = mp3_frames(encoded(tone(2.0, 880), "MP3", compression_level=0.0, **options))
    soft = mp3_frames(encoded(tone(10.0, 440, 0.05), "MP3", compression_level=0.99, **options))
    frames = [frame for i in order for frame in (loud, soft)[i]]
    path = tmp_path / "stream.mp3"
    path.write_bytes(tag + b"".join(frames))
    waveform, n_valid, reasons, _ = load(path)
    assert n_valid == pytest.approx(576 * len(frames), abs=1200)
    assert reasons == []
    assert spectrum_peak(waveform[-RATE:]) == pytest.approx((440, 880)[order[0]], abs=3)
    # the middle of all that is there
    middle, _, _, _ = load(path, duration=1.0, offset="center")
    assert spectrum_peak(middle) == pytest.approx(440, abs=3)
    start, n_start, _, _ = load(path, duration=1.0)
    assert n_start == RATE
    np.testing.assert_allclose(start, waveform[:RATE], atol=1e-6)


def mpeg1_frames(data):
    """Frames of an MPEG 1 layer III stream without the one that tells the length."""
    bitrates, rates = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320), (44100, 48000, 32000)
    frames, at = [], 0
    while at + 4 <= len(data):
        length = 144000 * bitrates[data[at + 2] >> 4] // rates[data[at + 2] >> 2 & 3] + (data[at + 2] >> 1 & 1)
        frames.append(data[at : at + length])
        at += length
    return [frame for frame in frames if b"Xing" not in frame and b"Info" not in frame]


@pytest.mark.parametrize("rate", [32000, 44100, 48000])
@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_mp3_of_any_rate_that_does_not_tell_its_length(tmp_path, rate, n_channels, order):
    noise = np.random.default_rng(0).normal(0, 0.2, rate).clip(-0.9, 0.9)
    options = {"bitrate_mode": "VARIABLE"}
    sounds = [
        mpeg1_frames(encoded(np.stack([sound] * n_channels, 1), "MP3", rate, compression_level=level, **options))
        for sound, level in ((noise, 0.0), (tone(4.0, 440, 0.05, rate), 0.95))
    ]
    frames = [frame for i in order for frame in sounds[i]]
    (tmp_path / "stream.mp3").write_bytes(b"".join(frames))
    _, n_valid, reasons, _ = load(tmp_path / "stream.mp3")
    assert n_valid == pytest.approx(1152 * len(frames) * RATE / rate, abs=1200)
    assert reasons == []
    (tmp_path / "cut.mp3").write_bytes(b"".join(frames)[:-40])
    assert load(tmp_path / "cut.mp3")[2] == ["truncated"]


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(("rate", "n_channels"), [(44100, 1), (48000, 1), (44100, 2)])
@pytest.mark.parametrize("tag", [b"", b"TAG" + b"a" * 125 + b"ID3\4\0\0\0\0\0\x0a" + bytes(10)])
def test_a_stream_that_goes_on_as_another(tmp_path, told, rate, n_channels, tag):
    first = b"".join(mpeg1_frames(encoded(tone(2.0, 440, rate=44100), "MP3", 44100)))
    second = encoded(np.stack([tone(2.0, 880, rate=rate)] * n_channels, 1), "MP3", rate)
    if not told:
        second = b"".join(mpeg1_frames(second))
    (tmp_path / "joined.mp3").write_bytes(first + tag + second)
    waveform, n_valid, reasons, _ = load(tmp_path / "joined.mp3")
    is_one_stream = not told and not tag and (rate, n_channels) == (44100, 1)
    assert reasons == ([] if is_one_stream else ["joined files"])
    assert n_valid / RATE == pytest.approx(4.0, abs=0.15)
    assert spectrum_peak(waveform[: int(1.8 * RATE)]) == pytest.approx(440, abs=3)
    assert spectrum_peak(waveform[int(2.2 * RATE) : int(3.8 * RATE)]) == pytest.approx(880, abs=3)


ANY = {
    "wav": ("WAV", {}),
    "flac": ("FLAC", {}),
    "ogg": ("OGG", {}),
    "opus": ("OGG", {"subtype": "OPUS"}),
    "mp3": ("MP3", {}),
}


@pytest.mark.parametrize("first", [*ANY, "caf", "aiff"])
@pytest.mark.parametrize("second", [name for name in ANY if name != "mp3"])
def test_a_sound_behind_one_of_another_container(tmp_path, first, second):
    kind, options = ANY.get(first, (first.upper(), {}))
    data = encoded(tone(1.0, 440), kind, **options) + encoded(tone(1.0, 880), ANY[second][0], **ANY[second][1])
    (tmp_path / f"x.{first}").write_bytes(data)
    waveform, n_valid, reasons, _ = load(tmp_path / f"x.{first}")
    assert reasons == ["joined files"]
    assert n_valid / RATE == pytest.approx(2.0, abs=0.1)
    assert spectrum_peak(waveform[int(1.2 * RATE) : int(1.9 * RATE)]) == pytest.approx(880, abs=3)


@pytest.mark.parametrize("options", [{}, {"duration": 1.0}, {"duration": 1.0, "offset": "center"}])
def test_joined_files_of_which_none_can_be_opened(tmp_path, options):
    data = encoded(tone(1.0), "FLAC")
    spoilt = data[:8] + bytes(18) + data[26:]
    (tmp_path / "x.flac").write_bytes(spoilt + spoilt)
    _, n_valid, reasons, _ = load(tmp_path / "x.flac", **options)
    assert n_valid == 0
    assert "not decodable" in reasons[0]


def test_bytes_behind_an_ogg_are_named(tmp_path):
    data = encoded(tone(1.0), "OGG")
    for tail, expected in ((b"x" * 500, ["more than its header says"]), (bytes(500), []), (b"TAG" + b"a" * 125, [])):
        (tmp_path / "x.ogg").write_bytes(data + tail)
        assert load(tmp_path / "x.ogg")[1:3] == (RATE, expected)


def test_a_mark_in_the_metadata_of_a_flac_is_no_sound(tmp_path):
    data = encoded(tone(1.0), "FLAC")
    inside = b"riffRIFF\x24\0\0\0WAVEfmt " + b"fLaC\0\0\0\x22"
    block = b"\x02" + len(inside).to_bytes(3, "big") + inside
    (tmp_path / "x.flac").write_bytes(data[:42] + block + data[42:])
    assert load(tmp_path / "x.flac")[1:3] == (RATE, [])


def test_an_mp3_that_is_cut_is_named(tmp_path):
    data = encoded(tone(10.0), "MP3")
    (tmp_path / "cut.mp3").write_bytes(data[: len(data) // 2])
    _, n_valid, reasons, details = load(tmp_path / "cut.mp3")
    assert reasons == ["truncated"]
    assert f"{len(data) // 2} of {len(data)} bytes" in details[0]
    assert n_valid / RATE == pytest.approx(5.0, abs=0.5)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_that_lost_a_page(tmp_path, subtype):
    sound = np.random.default_rng(0).normal(0, 0.2, 10 * RATE).clip(-1, 1)
    data = encoded(sound, "OGG", subtype=subtype)
    starts = [i for i in range(len(data)) if data.startswith(b"OggS", i)]
    middle = len(starts) // 2
    (tmp_path / "lost.ogg").write_bytes(data[: starts[middle]] + data[starts[middle + 1] :])
    for duration in (None, 1.0):
        _, _, reasons, details = load(tmp_path / "lost.ogg", duration=duration)
        assert reasons == ["truncated"]
        assert "1 pages of the stream are missing" in details[0]
    (tmp_path / "end.ogg").write_bytes(data[: starts[-1]])
    assert "the last page" in load(tmp_path / "end.ogg")[3][0]


def test_a_flac_that_promises_hours(tmp_path):
    data = bytearray(encoded(tone(2.0), "FLAC"))
    data[21] |= 0x0F
    data[22:26] = b"\xff" * 4
    (tmp_path / "huge.flac").write_bytes(data)
    for options in ({}, {"duration": 1.0, "offset": "center"}, {"duration": 1.0}):
        waveform, n_valid, reasons, _ = load(tmp_path / "huge.flac", **options)
        assert reasons == ["truncated"]
        assert n_valid == (RATE if options else 2 * RATE)
        assert spectrum_peak(waveform[:n_valid]) == pytest.approx(440, abs=3)


def test_reasons_carry_the_words_of_libsndfile_and_a_remedy(tmp_path):
    (tmp_path / "text.wav").write_text("not a sound" * 9)
    _, _, reasons, details = load(tmp_path / "text.wav")
    assert reasons == ["not decodable"]
    assert "Format not recognised" in details[0]
    assert "ffmpeg" in details[0]
