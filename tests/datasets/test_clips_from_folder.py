import pytest

from skbst.datasets import clips_from_folder
from skbst.exceptions import DataFormatError


def test_lists_sounds_below_a_folder(tmp_path):
    for name in ("b/snare 01.WAV", "b/notes.txt", "a.flac", "._a.flac", ".cache/x.wav", "c.m4a"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    data = clips_from_folder(tmp_path)
    assert data.index.tolist() == ["a.flac", "b/snare 01.WAV"]
    assert data["title"].tolist() == ["a", "snare 01"]
    assert data["audio"].tolist() == [str(tmp_path / "a.flac"), str(tmp_path / "b/snare 01.WAV")]
    assert (data[["tags", "description"]] == "").all(axis=None)
    assert clips_from_folder(str(tmp_path), recursive=False).index.tolist() == ["a.flac"]


def test_nothing_to_list(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        clips_from_folder(tmp_path / "nowhere")
    with pytest.raises(DataFormatError, match="it has no files"):
        clips_from_folder(tmp_path)
    (tmp_path / "a.m4a").write_bytes(b"")
    with pytest.raises(DataFormatError, match=r"the files there are \{'.m4a': 1\}"):
        clips_from_folder(tmp_path)


@pytest.mark.data
def test_real_folder(data_root):
    assert len(clips_from_folder(data_root / "bst-real/audio")) == 652
