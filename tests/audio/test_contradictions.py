"""Headers that contradict themselves or the sound, and bytes that no header tells of."""

import io
import struct

import numpy as np
import pytest
import soundfile

from skbst.audio import load_clips

pytestmark = pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning")
RATE = 16000
KINDS = ("WAV", "RF64", "W64", "AIFF", "AU", "CAF", "VOC", "NIST", "SVX", "AVR")
CROPS = [{"duration": None}, {"duration": 1.0}, {"duration": 1.0, "offset": "center"}]


def noise(seconds=3.0):
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).clip(-0.9, 0.9).astype(np.float32)


def encoded(kind, waveform=None, subtype="PCM_16", **options):
    out = io.BytesIO()
    soundfile.write(out, noise() if waveform is None else waveform, RATE, format=kind, subtype=subtype, **options)
    return out.getvalue()


def record(folder, kind, data, **crop):
    path = folder / f"x.{kind.lower()}"
    path.write_bytes(data)
    waveforms, n_valid, report = load_clips([path], sample_rate=RATE, **{"duration": None, **crop})
    return n_valid[0], "; ".join(report["reason"]), "; ".join(report["detail"]), waveforms[0]


@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("kind", KINDS)
def test_bytes_put_into_the_sound_are_named(tmp_path, kind, crop):
    data = encoded(kind)
    place = len(data) // 2 - len(data) // 2 % 8
    _, reason, detail, _ = record(tmp_path, kind, data[:place] + noise(0.1).tobytes() + data[place:], **crop)
    assert reason == "more than its header says"
    assert "6400 bytes follow" in detail or kind == "VOC"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tail", [bytes(4096), b"ID3\4\0\0\0\0\0\x0a" + bytes(10), b"TAG" + b"a" * 125])
def test_zeros_and_tags_behind_the_sound_are_no_damage(tmp_path, kind, tail):
    assert record(tmp_path, kind, encoded(kind) + tail)[1] == ""


@pytest.mark.parametrize("gap", [b"", bytes(64)])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("VOC", "SVX", "AVR")])
def test_files_of_any_kind_that_were_joined_are_read_whole(tmp_path, kind, gap):
    parts = [noise(1.0), -noise(0.5), noise(0.25)]
    data = gap.join(encoded(kind, part) for part in parts)
    n_valid, reason, _, waveform = record(tmp_path, kind, data)
    assert (n_valid, reason) == (1.75 * RATE, "joined files")
    np.testing.assert_allclose(waveform, np.concatenate(parts), atol=1e-3)


@pytest.mark.parametrize("mark", [b"LIST", b"cue ", b"bext"])
def test_chunks_behind_the_sound_are_no_damage(tmp_path, mark):
    chunk = mark + struct.pack("<I", 12) + b"INFOICMTabcd"
    assert record(tmp_path, "WAV", encoded("WAV") + chunk)[1] == ""


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64", "W64"])
@pytest.mark.parametrize(("place", "form"), [(4, "<I"), (8, "<I"), (12, "<H")])
def test_a_format_that_contradicts_itself(tmp_path, kind, place, form):
    data = bytearray(encoded(kind))
    start = data.index(b"fmt ") + (24 if kind == "W64" else 8) + place
    (value,) = struct.unpack_from(form, data, start)
    struct.pack_into(form, data, start, value + 256)
    assert "header contradicts itself" in record(tmp_path, "WAV" if kind == "WAVEX" else kind, bytes(data))[1]


@pytest.mark.parametrize("subtype", ["IMA_ADPCM", "MS_ADPCM", "GSM610", "ULAW", "ALAW", "FLOAT", "PCM_24", "PCM_U8"])
def test_formats_of_all_codings_are_consistent(tmp_path, subtype):
    data = encoded("WAV", subtype=subtype)
    assert record(tmp_path, "WAV", data)[1] == ""
    at = data.index(b"fmt ") + 12
    other = data[:at] + struct.pack("<I", 48000) + data[at + 4 :]
    assert "header contradicts itself" in record(tmp_path, "WAV", other)[1]


def test_frames_of_an_aiff_that_are_not_those_of_its_sound(tmp_path):
    data = bytearray(encoded("AIFF"))
    struct.pack_into(">I", data, data.index(b"COMM") + 10, 1000)
    assert "header contradicts itself" in record(tmp_path, "AIFF", bytes(data))[1]


def test_a_rate_that_nobody_uses_is_named(tmp_path):
    for rate in (8, 4_000_000):
        soundfile.write(tmp_path / "x.wav", noise(0.1), rate)
        _, _, report = load_clips([tmp_path / "x.wav"], duration=0.01)
        assert "unusual rate" in report["reason"].iloc[0]


def test_first_frames_of_mp3_that_were_changed(tmp_path):
    data = encoded("MP3", subtype=None)
    at = max(data.find(b"Xing"), data.find(b"Info"))
    assert record(tmp_path, "MP3", data)[1] == ""
    for place in (at, at + 11, at + 141, 3):
        changed = bytearray(data)
        changed[place] ^= 0x40
        assert "header contradicts itself" in record(tmp_path, "MP3", bytes(changed))[1]
    assert "before its first frame" in record(tmp_path, "MP3", b"garbage" + data)[2]


def mp3_frames(data):
    at, frames = 0, []
    while at + 4 <= len(data):
        kbits = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)[data[at + 2] >> 4]
        length = 72000 * kbits // RATE + (data[at + 2] >> 1 & 1)
        frames.append(data[at : at + length])
        at += length
    return frames


@pytest.mark.parametrize("crop", CROPS)
def test_an_mp3_that_lost_one_frame(tmp_path, crop):
    frames = mp3_frames(encoded("MP3", subtype=None))
    _, reason, _, _ = record(tmp_path, "MP3", b"".join(frames[:40] + frames[41:]), **crop)
    assert "truncated" in reason


@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("lost", [0, 5, 11])
def test_a_flac_that_lost_one_frame(tmp_path, crop, lost):
    data = encoded("FLAC")
    starts, mark = [data.index(b"\xff\xf8")], b"\xff\xf8"
    for number in range(1, 12):
        place = data.index(mark, starts[-1] + 1)
        while data[place + 3] & 0xF0 or data[place + 4] != number:
            place = data.index(mark, place + 1)
        starts.append(place)
    stops = [*starts[1:], len(data)]
    assert len(starts) == 12
    assert record(tmp_path, "FLAC", data, **crop)[1] == ""
    _, reason, _, _ = record(tmp_path, "FLAC", data[: starts[lost]] + data[stops[lost] :], **crop)
    assert "truncated" in reason


def test_a_flac_whose_header_has_another_rate(tmp_path):
    data = bytearray(encoded("FLAC"))
    data[18:21] = (48000 << 4 | int.from_bytes(data[18:21], "big") & 0xF).to_bytes(3, "big")
    assert "16000 Hz" in record(tmp_path, "FLAC", bytes(data))[2]


def test_a_flac_whose_header_says_less_than_it_holds(tmp_path):
    data = bytearray(encoded("FLAC"))
    data[22:26] = (20000).to_bytes(4, "big")
    _, reason, detail, _ = record(tmp_path, "FLAC", bytes(data))
    assert "header contradicts itself" in reason
    assert "20000" in detail
    assert "48000" in detail


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_without_its_first_pages_of_sound(tmp_path, subtype):
    data = encoded("OGG", np.tile(noise(), 4), subtype)
    starts = [i for i in range(len(data)) if data.startswith(b"OggS", i)]
    assert "truncated" in record(tmp_path, "OGG", data[: starts[2]] + data[starts[4] :])[1]
