import pytest

pytest.importorskip("pyarrow", exc_type=ImportError)


@pytest.mark.slow
def test_the_whole_way_offline(example, tmp_path, capsys):
    table = example("from_zero_to_labels").main(["--out", str(tmp_path / "out")])
    said = capsys.readouterr().out
    assert len(table) == 46
    assert "46 clips labelled" in said
    assert "The least sure ones" in said
    assert (tmp_path / "out" / "model" / "model.json").is_file()
