"""What stands before and behind a sound: tags and zeros are no sound, other sounds are read, all else is named."""

import io
import struct

import numpy as np
import pytest
import soundfile

from skbst.audio import load_clips

pytestmark = pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning")
RATE = 16000
SECONDS = 0.5
KINDS = {
    "wav": ("WAV", "PCM_16"),
    "adpcm.wav": ("WAV", "IMA_ADPCM"),
    "rf64": ("RF64", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "voc": ("VOC", "PCM_16"),
    "sph": ("NIST", "PCM_16"),
    "svx": ("SVX", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "streamed.flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", None),
}
ID3 = b"ID3\4\0\0\0\0\0\x28" + b"TIT2\0\0\0\x06\0\0\0hello".ljust(40, b"\0")
ITEM = b"\5\0\0\0\0\0\0\0Title\0hello"
FOOT = b"APETAGEX" + struct.pack("<IIII8x", 2000, len(ITEM) + 32, 1, 0)
HEAD = FOOT[:20] + struct.pack("<I8x", 0xA0000000)
LYRICS = b"LYRICSBEGININD0000200LYR00005hello000033LYRICS200"
TAGS = {"id3": ID3, "tag": b"TAG" + b"a" * 125, "ape": HEAD + ITEM + FOOT, "foot": ITEM + FOOT, "lyrics": LYRICS}
TAGS["all"] = b"".join(TAGS.values())
GAPS = {"nothing": b"", "zeros": bytes(300), **TAGS}
JUNK = b"hello world, " * 30


def tone(pitch, seconds=SECONDS):
    return (0.3 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def encoded(name, pitch=440):
    out = io.BytesIO()
    kind, subtype = KINDS[name]
    soundfile.write(out, tone(pitch), RATE, format=kind, subtype=subtype)
    data = bytearray(out.getvalue())
    if name == "streamed.flac":
        data[21] &= 0xF0
        data[22:26] = bytes(4)
    return bytes(data)


def load(folder, name, data, **options):
    path = folder / f"x.{name}"
    path.write_bytes(data)
    waveforms, n_valid, report = load_clips([path], sample_rate=RATE, **{"duration": None, **options})
    return waveforms[0], n_valid[0], "; ".join(report["reason"]), "; ".join(report["detail"])


def peak(waveform):
    return np.abs(np.fft.rfft(waveform)).argmax() * RATE / len(waveform)


@pytest.mark.parametrize("name", KINDS)
def test_zeros_and_tags_are_neither_sound_nor_damage(tmp_path, name):
    data = encoded(name)
    alone, n_alone, _, _ = load(tmp_path, name, data)
    for tail in GAPS.values():
        waveform, n_valid, reason, _ = load(tmp_path, name, data + tail)
        assert (n_valid, reason) == (n_alone, "")
        np.testing.assert_array_equal(waveform, alone)


@pytest.mark.parametrize("name", KINDS)
def test_other_bytes_are_named_and_no_sound(tmp_path, name):
    data = encoded(name)
    _, n_alone, _, _ = load(tmp_path, name, data)
    for tail in (JUNK, TAGS["all"] + JUNK, np.random.default_rng(0).bytes(70_000)):
        for options in ({}, {"duration": 0.2, "offset": "center"}):
            _, n_valid, reason, _ = load(tmp_path, name, data + tail, **options)
            assert reason in ("more than its header says", "header contradicts itself")
            assert n_valid == n_alone or options or name == "mp3"


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", ["wav", "aiff", "w64", "flac", "ogg", "mp3"])
def test_a_sound_behind_tags_is_read(tmp_path, first, second):
    one, two = encoded(first), encoded(second, 880)
    n_each = [load(tmp_path, name, data)[1] for name, data in ((first, one), (second, two))]
    for gap in (GAPS["nothing"], GAPS["zeros"], TAGS["id3"], TAGS["all"]):
        waveform, n_valid, reason, _ = load(tmp_path, first, one + gap + two)
        if (first, second) == ("mp3", "mp3"):
            assert reason.startswith("joined files")
        else:
            assert reason == "joined files"
        assert n_valid == pytest.approx(sum(n_each), abs=1200 * first.endswith("mp3") + 1200 * (second == "mp3"))
        assert peak(waveform[-round(0.3 * RATE) :]) == pytest.approx(880, abs=4)


def test_a_chain_of_all_containers_in_any_order(tmp_path):
    generator = np.random.default_rng(1)
    names = [name for name in KINDS if name not in ("mp3", "opus", "adpcm.wav")]
    for _ in range(5):
        order = generator.permutation(names)
        data = b"".join(encoded(name) + TAGS["tag"] for name in order)
        _, n_valid, reason, detail = load(tmp_path, order[0], data)
        assert (n_valid, reason) == (len(names) * SECONDS * RATE, "joined files")
        assert f"{len(names)} sounds" in detail


def test_a_sound_behind_bytes_of_no_kind_is_read_and_both_are_said(tmp_path):
    for name in ("wav", "flac", "ogg", "voc"):
        _, n_valid, reason, _ = load(tmp_path, name, encoded(name) + JUNK + encoded("flac"))
        assert (n_valid, reason) == (2 * SECONDS * RATE, "joined files; more than its header says")


@pytest.mark.parametrize("name", [name for name in KINDS if name != "mp3"])
def test_tags_before_a_sound(tmp_path, name):
    data = encoded(name)
    _, n_alone, _, _ = load(tmp_path, name, data)
    for tag in (ID3, HEAD + ITEM + FOOT):
        assert load(tmp_path, name, tag + data)[1:3] == (n_alone, "")
        _, n_valid, reason, _ = load(tmp_path, name, tag + data[: -len(data) // 2])
        # one page holds all of a short Ogg
        assert n_valid > 0 or name in ("ogg", "opus")
        assert n_valid < n_alone
        assert "truncated" in reason or n_valid == 0


def test_chunks_and_another_sound_behind_them(tmp_path):
    chunk = b"LIST" + struct.pack("<I", 12) + b"INFOICMTabcd"
    assert load(tmp_path, "wav", encoded("wav") + chunk + TAGS["tag"])[1:3] == (SECONDS * RATE, "")
    data = encoded("wav") + chunk + encoded("flac") + encoded("wav") + chunk
    assert load(tmp_path, "wav", data)[1:3] == (3 * SECONDS * RATE, "joined files")
    assert load(tmp_path, "wav", encoded("wav") + chunk + JUNK)[1:3] == (SECONDS * RATE, "more than its header says")


@pytest.mark.parametrize("first", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("second", ["wav", "caf", "flac", "ogg"])
def test_the_second_sound_is_cut(tmp_path, first, second):
    data = encoded(second)
    _, n_valid, reason, _ = load(tmp_path, first, encoded(first) + data[: 3 * len(data) // 4])
    assert n_valid > SECONDS * RATE or second == "ogg"
    assert "joined files" in reason
    assert "truncated" in reason


@pytest.mark.parametrize("second", ["wav", "flac"])
@pytest.mark.parametrize("first", ["wav", "flac", "ogg"])
def test_the_first_sound_is_cut(tmp_path, first, second):
    data = encoded(first)
    _, _, reason, _ = load(tmp_path, first, data[: 3 * len(data) // 4] + encoded(second))
    assert reason


@pytest.mark.parametrize("name", ["flac", "streamed.flac"])
def test_a_flac_whose_last_frame_is_cut(tmp_path, name):
    for n_bytes in (1, 2, 9):
        _, _, reason, _ = load(tmp_path, name, encoded(name)[:-n_bytes], duration=0.1)
        assert "truncated" in reason


def test_a_header_of_another_sound_that_was_never_finished(tmp_path):
    data = bytearray(encoded("wav"))
    data[40:44] = bytes(4)
    _, n_valid, reason, _ = load(tmp_path, "flac", encoded("flac") + data)
    assert (n_valid, reason) == (2 * SECONDS * RATE, "joined files; unfinished header")


@pytest.mark.parametrize("lost", [0, 1])
def test_an_ogg_without_its_first_pages_behind_another(tmp_path, lost):
    second = encoded("opus", 880)
    starts = [i for i in range(len(second)) if second.startswith(b"OggS", i)]
    _, _, reason, detail = load(tmp_path, "ogg", encoded("ogg") + second[starts[lost + 1] :])
    assert "truncated" in reason
    assert "missing" in detail


def frames_of_mp3(data):
    kbits, frames, at = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160), [], 0
    while at + 4 <= len(data):
        length = 72000 * kbits[data[at + 2] >> 4] // RATE + (data[at + 2] >> 1 & 1)
        frames.append(data[at : at + length])
        at += length
    return frames[1:]


def test_an_mp3_without_header_and_what_follows(tmp_path):
    frames = frames_of_mp3(encoded("mp3"))
    stream = b"".join(frames)
    for tail, expected in ((TAGS["all"], ""), (bytes(500), ""), (JUNK, "header contradicts itself")):
        _, n_valid, reason, _ = load(tmp_path, "mp3", stream + tail)
        assert reason == expected
        assert n_valid == pytest.approx(576 * len(frames), abs=1200)
    _, n_valid, reason, _ = load(tmp_path, "mp3", stream + ID3 + encoded("wav"))
    assert reason == "joined files"
    assert n_valid == pytest.approx(576 * len(frames) + SECONDS * RATE, abs=1200)
    middle = b"".join(frames[:8]) + JUNK + b"".join(frames[8:])
    assert "between its frames" in load(tmp_path, "mp3", middle)[3]


@pytest.mark.parametrize("place", [0, 1, 25])
def test_a_header_that_ends_before_it_begins(tmp_path, place):
    data = bytearray(encoded("voc"))
    data[20:22] = place.to_bytes(2, "little")
    assert "header contradicts itself" in load(tmp_path, "voc", data)[2]


def test_a_flac_whose_last_byte_is_zero(tmp_path):
    generator = np.random.default_rng(0)
    data = b"\1"
    while data[-1] or not data[-2]:
        out = io.BytesIO()
        soundfile.write(out, generator.normal(0, 0.1, 200).clip(-1, 1), RATE, format="FLAC")
        data = out.getvalue()
    streamed = bytearray(data)
    streamed[21] &= 0xF0
    streamed[22:26] = bytes(4)
    for whole in (data, streamed):
        assert load(tmp_path, "flac", whole)[1:3] == (200, "")
        assert load(tmp_path, "flac", whole + ID3)[1:3] == (200, "")
    assert load(tmp_path, "flac", data + bytes(40))[1:3] == (200, "")
    for whole in (data, streamed):
        assert load(tmp_path, "flac", whole + ID3 + encoded("wav"))[1:3] == (200 + SECONDS * RATE, "joined files")


@pytest.mark.parametrize("name", ["wav", "flac", "streamed.flac", "ogg", "mp3"])
def test_hundreds_of_sounds_in_one_file_are_looked_at_once(tmp_path, name, monkeypatch):
    from skbst.audio._containers import _flac, _look
    from skbst.audio._containers._slice import FileSlice

    n_read = []
    real = FileSlice.readinto
    monkeypatch.setattr(FileSlice, "readinto", lambda self, buffer: n_read.append(real(self, buffer)) or n_read[-1])
    monkeypatch.setattr(_flac, "_READ_AT_ONCE", 1 << 15)
    taken = {}
    for n_sounds in (100, 200):
        n_read.clear()
        (tmp_path / "x").write_bytes(encoded(name) * n_sounds)
        assert len(_look.look_at(tmp_path / "x").parts) == n_sounds
        taken[n_sounds] = sum(n_read)
    # what is read ahead of each sound is the same for all but the last ones
    assert taken[200] < 3 * taken[100]


@pytest.mark.parametrize(
    "piece",
    [b"abcd\0\0\0\0", b"ID3\4\0\0\0\0\0\0", b"LYRICSBEGINLYRICSEND", b"xAPETAGEX", b"RIFF", b"OggS\0\0", b"\xff\xf8"],
)
@pytest.mark.parametrize("name", ["wav", "flac", "ogg", "mp3"])
def test_pieces_without_end_are_not_followed_without_end(tmp_path, name, piece, monkeypatch):
    from skbst.audio._containers import _look
    from skbst.audio._containers._slice import FileSlice

    n_read = []
    real = FileSlice.readinto
    monkeypatch.setattr(FileSlice, "readinto", lambda self, buffer: n_read.append(real(self, buffer)) or n_read[-1])
    (tmp_path / "x").write_bytes(encoded(name) + piece * 50_000)
    found = _look.look_at(tmp_path / "x")
    assert len(n_read) < 20_000
    assert found.reason or found.truncation or len(found.parts) > 1


def test_a_flac_of_which_nothing_is_left_and_a_sound(tmp_path):
    data = bytearray(encoded("flac"))
    data[data.index(b"\xff\xf8", 42)] ^= 0xFF
    _, n_valid, reason, _ = load(tmp_path, "flac", data + encoded("wav"))
    assert n_valid == SECONDS * RATE
    assert "truncated" in reason


def test_zeros_without_end_are_zeros(tmp_path):
    for name in ("flac", "voc"):
        with open(tmp_path / f"x.{name}", "wb") as file:
            file.write(encoded(name))
            file.truncate(100_000_000)
        _, n_valid, report = load_clips([tmp_path / f"x.{name}"], sample_rate=RATE, duration=None)
        assert (n_valid[0], len(report)) == (SECONDS * RATE, 0)
