from skbst.library._output import LibraryFolder

FIGURES = {"rows": 1}
WHERE = {"identity": "", "key": "k", "run": "r" * 16}


def test_a_part_that_another_run_has_just_finished_is_not_taken_for_foreign(tmp_path):
    """The other run writes at the worst moment: after this one has looked for the record."""
    other = LibraryFolder(tmp_path, **WHERE)

    class Slow(LibraryFolder):
        def _record_of(self, name):
            record = super()._record_of(name)
            if not (tmp_path / name).exists():
                other.write(name, lambda file: file.write(b"part"), FIGURES)
            return record

    this = Slow(tmp_path, **WHERE)
    assert this.claim("part-000000.parquet")
    this.find("part-000000.parquet")
    assert not list(tmp_path.glob("_kept-*"))
    other.write("part-000001.parquet", lambda file: file.write(b"part"), FIGURES)
    assert this.find("part-000001.parquet")["rows"] == 1
    for folder in (this, other):
        folder.close()


def test_only_who_has_claimed_a_part_sets_its_file_aside(tmp_path):
    folder = LibraryFolder(tmp_path, **WHERE)
    (tmp_path / "part-000000.parquet").write_bytes(b"foreign")
    assert folder.find("part-000000.parquet") is None
    assert (tmp_path / "part-000000.parquet").read_bytes() == b"foreign"
    assert folder.claim("part-000000.parquet")
    assert folder.find("part-000000.parquet") is None
    assert [path.read_bytes() for path in tmp_path.glob("_kept-*")] == [b"foreign"]
    folder.close()
