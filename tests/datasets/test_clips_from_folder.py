import os
import unicodedata
import wave

import pytest

from skbst.audio import load_clip
from skbst.datasets import clips_from_folder
from skbst.exceptions import DataFormatError


def test_lists_sounds_below_a_folder(tmp_path):
    for name in ("b/snare 01.WAV", "b/notes.txt", "a.flac", "._a.flac", ".cache/x.wav", "c.m4a"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    with pytest.warns(UserWarning, match=r"1 file\(s\) in a format that libsndfile does not read, .m4a \(c.m4a\)"):
        data = clips_from_folder(tmp_path)
    assert data.index.tolist() == ["a.flac", "b/snare 01.WAV"]
    assert data["title"].tolist() == ["a", "snare 01"]
    assert data["audio"].tolist() == [str(tmp_path / "a.flac"), str(tmp_path / "b/snare 01.WAV")]
    assert (data[["tags", "description"]] == "").all(axis=None)
    (tmp_path / "c.m4a").unlink()
    assert clips_from_folder(str(tmp_path), recursive=False).index.tolist() == ["a.flac"]


def test_nothing_to_list(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        clips_from_folder(tmp_path / "nowhere")
    with pytest.raises(DataFormatError, match="it has no files"):
        clips_from_folder(tmp_path)
    (tmp_path / "a.m4a").write_bytes(b"")
    with pytest.raises(DataFormatError, match=r"the files there are \{'.m4a': 1\}"):
        clips_from_folder(tmp_path)


def wav(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\1\2" * 80)
    return path


def test_names_without_an_extension_are_known_by_their_content(tmp_path):
    for name in ("192452__someone", "17__dr. someone", "a.wav"):
        wav(tmp_path / name.replace(".wav", "")).rename(tmp_path / name)
    (tmp_path / "README").write_text("no sound")
    (tmp_path / "page.html").write_text("no sound")
    assert clips_from_folder(tmp_path).index.tolist() == ["17__dr. someone", "192452__someone", "a.wav"]


def test_linked_folders_are_followed_once(tmp_path):
    disk = tmp_path / "disk"
    wav(disk / "deep/x.wav")
    root = tmp_path / "root"
    wav(root / "z/one.wav")
    (root / "a").symlink_to(root / "z")
    (root / "disk2").symlink_to(disk)
    (disk / "deep/circle").symlink_to(disk)
    assert clips_from_folder(root).index.tolist() == ["disk2/deep/x.wav", "z/one.wav"]


def test_what_may_be_sound_is_counted_and_named(tmp_path):
    wav(tmp_path / "a.wav")
    for name in ("1.webm", "2.webm", "3.webm", "4.webm", "v.M4A", "w.wma"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.warns(UserWarning, match="passed over") as told:
        assert clips_from_folder(tmp_path).index.tolist() == ["a.wav"]
    (told,) = told
    for words in (
        ".webm (1.webm, 2.webm, 3.webm and 1 more)",
        "1 file(s) in a format that libsndfile does not read, .m4a (v.M4A)",
        "1 broken link(s) (gone.wav)",
        "1 pipe(s), device(s) or the like (pipe.wav)",
    ):
        assert words in str(told.message)


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    wav(tmp_path / "a.wav")
    wav(tmp_path / "locked/b.wav")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.warns(UserWarning, match=r"1 folder\(s\) that cannot be read: Permission denied \(locked\)"):
        assert clips_from_folder(tmp_path).index.tolist() == ["a.wav"]


def test_names_in_other_encodings_and_spellings(tmp_path):
    nfd = unicodedata.normalize("NFD", "café")
    wav(tmp_path / f"{nfd}.wav")
    source = wav(tmp_path / "x.wav")
    name = os.fsencode(tmp_path) + b"/na\xefve.wav"
    source.rename(os.fsdecode(name))
    data = clips_from_folder(tmp_path)
    assert data.index.tolist() == ["café.wav", "na\\xefve.wav"]
    assert data["title"].tolist() == ["café", "na\\xefve"]
    assert all(os.path.isfile(path) for path in data["audio"])
    assert load_clip(data["audio"].iloc[1], duration=0.1)[1] == 160  # 80 at half the rate


def test_a_byte_written_out_beside_a_name_that_reads_so(tmp_path):
    raw, literal, longer = b"caf\xe9.wav", b"caf\\xe9.wav", b"caf\\\\xe9.wav"
    for name in (raw, literal, longer):
        wav(tmp_path / "x.wav").rename(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    data = clips_from_folder(tmp_path)
    named = {os.path.basename(os.fsencode(path)): sound_id for sound_id, path in data["audio"].items()}
    assert named == {raw: "caf\\xe9.wav", literal: "caf\\\\xe9.wav", longer: "caf\\\\\\\\xe9.wav"}
    (tmp_path / os.fsdecode(raw)).unlink()
    assert clips_from_folder(tmp_path).index.tolist() == ["caf\\\\xe9.wav", "caf\\xe9.wav"]


def test_paths_are_absolute(tmp_path, monkeypatch):
    wav(tmp_path / "sounds/a.wav")
    monkeypatch.chdir(tmp_path)
    assert clips_from_folder("sounds")["audio"].tolist() == [str(tmp_path / "sounds/a.wav")]


@pytest.mark.data
def test_real_folder(data_root):
    assert len(clips_from_folder(data_root / "bst-real/audio")) == 652
