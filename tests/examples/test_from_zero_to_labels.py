import pytest

pytest.importorskip("pyarrow", exc_type=ImportError)


@pytest.mark.slow
def test_the_whole_way_offline(example, tmp_path, capsys):
    table = example("from_zero_to_labels").main(["--out", str(tmp_path / "out")])
    said = capsys.readouterr().out
    assert len(table) == 46
    assert "46 clips labelled" in said
    assert (tmp_path / "out" / "model" / "model.json").is_file()
    again = example("from_zero_to_labels").main(["--out", str(tmp_path / "out")])
    assert again["predicted"].tolist() == table["predicted"].tolist()
    assert "0 clips labelled, 46 were labelled already" in capsys.readouterr().out
