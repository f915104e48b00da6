import numpy as np
import pandas as pd
import pytest
import yaml

from skbst.datasets import load_bsd
from skbst.exceptions import DataFormatError
from skbst.metrics import hierarchical_f1_score, hierarchical_precision_recall_fscore_support
from skbst.submission import verify_submission, write_submission
from skbst.taxonomy import BST

AUTHORS = [
    {
        "lastname": "Doe",
        "firstname": "Jané",
        "email": "jane@example.org",
        "corresponding": True,
        "affiliation": {"abbreviation": "UX", "institute": "University of X", "location": "X"},
    },
    {"lastname": "Roe", "firstname": "R", "email": "r@example.org", "affiliation": {"institute": "University of X"}},
]


@pytest.fixture
def evaluation(write_bsd):
    """A folder like BSD2k: ids that end in .wav, no labels, one file of zero bytes."""
    rows = [
        {"anonymous_id": f"{i}{'.wav' if i % 2 else ''}", "title": "a", "tags": "", "description": ""} for i in range(6)
    ]
    root = write_bsd(rows, table="metadata/BSD2k_metadata.csv")
    (root / "audio/3.wav").write_bytes(b"")
    return root


@pytest.fixture
def development():
    rng = np.random.default_rng(0)
    y_true = np.tile(BST.leaves, 20)
    y_pred = np.where(rng.random(460) < 0.8, y_true, rng.choice(BST.leaves, 460))
    return {"y_true": y_true, "y_pred": y_pred, "folds": np.arange(460) // 23 % 5}


@pytest.fixture
def write(tmp_path, evaluation, development):
    data = load_bsd(evaluation).data

    def run(**changes):
        arguments = {
            "folder": tmp_path / "task1",
            "y_pred": pd.Series(["fx-a", "ss-n", "m-sp", "fx-a", "is-p", "sp-s"], index=data.index),
            "team": "Doe_UX",
            "system": 1,
            "name": "Trees",
            "abbreviation": "trees",
            "authors": AUTHORS,
            "description": {"input_sampling_rate": "16 kHz", "summary": "Some: trees"},
            "development": development,
            "complexity": {"total_parameters": 12, "MACS": 3},
            "prediction_score": np.array([0.5, 1.0, 0.0, 0.25, 1 / 3, 0.9]),
            "evaluation": evaluation,
        }
        return write_submission(**(arguments | changes))

    return run


def test_round_trip(write, evaluation, development):
    output, meta_file = write()
    assert output.name == "Doe_UX_task1_1.output.csv"
    assert meta_file.name == "Doe_UX_task1_1.meta.yaml"
    assert sorted(path.name for path in output.parent.iterdir()) == [meta_file.name, output.name]
    assert output.read_text().splitlines()[:3] == [
        "id,predicted_bst_second_level_class,prediction_score",
        "0,fx-a,0.5",
        "1.wav,ss-n,1.0",
    ]
    assert verify_submission(output, evaluation=evaluation) == []
    assert verify_submission(output.parent, evaluation=load_bsd(evaluation).data.index) == []
    table = pd.read_csv(output, dtype={"id": str})
    assert table["id"].tolist() == ["0", "1.wav", "2", "3.wav", "4", "5.wav"]
    meta = yaml.safe_load(meta_file.read_text(encoding="utf-8"))
    assert meta["submission"]["authors"] == AUTHORS
    assert meta["system"]["description"]["summary"] == "Some: trees"
    assert meta["system"]["description"]["text_representation"] is None
    assert meta["system"]["complexity"] == {"total_parameters": 12, "MACS": 3}
    results = meta["results"]["development_datasets"]["bsd10k-v1.2"]
    folds = [development["folds"] == i for i in range(5)]
    scores = [hierarchical_f1_score(development["y_true"][rows], development["y_pred"][rows]) for rows in folds]
    assert results["overall"]["hF"] == round(float(np.mean(scores)), 4)
    assert list(results["class_wise"]) == BST.leaves.tolist()
    per_fold = [
        hierarchical_precision_recall_fscore_support(
            development["y_true"][rows], development["y_pred"][rows], labels=["ss-u"], average=None
        )[1][0]
        for rows in folds
    ]
    assert results["class_wise"]["ss-u"]["hR"] == round(float(np.mean(per_fold)), 4)


def test_class_that_is_never_predicted_has_no_score(write, development):
    development["y_pred"] = np.where(development["y_pred"] == "is-w", "is-p", development["y_pred"])
    development.pop("folds")
    output, meta_file = write()
    results = yaml.safe_load(meta_file.read_text())["results"]["development_datasets"]["bsd10k-v1.2"]
    assert results["class_wise"]["is-w"]["hP"] is None
    assert results["class_wise"]["is-w"]["hR"] is not None
    assert results["overall"]["hF"] > 0
    assert verify_submission(output) == []


def test_ids_without_a_series_and_no_scores(write, evaluation):
    ids = load_bsd(evaluation).data.index
    output, _ = write(y_pred=["fx-a"] * 5 + ["ss-n"], ids=ids, prediction_score=None)
    assert output.read_text().splitlines()[0] == "id,predicted_bst_second_level_class"
    with pytest.raises(DataFormatError, match="Pass ids="):
        write(y_pred=["fx-a"] * 6)
    with pytest.raises(DataFormatError, match="differ in length"):
        write(y_pred=["fx-a"] * 5, ids=ids)


def test_complexity_of_a_fitted_estimator(write):
    torch = pytest.importorskip("torch")

    class Network:
        def __init__(self):
            self.module_ = torch.nn.Linear(4, 23)

        def predict(self, X):
            return self.module_(torch.as_tensor(X, dtype=torch.float32)).argmax(1)

    for X, macs in ((np.zeros((3, 4)), 4 * 23), (None, None)):
        _, meta_file = write(complexity=None, estimator=Network(), X=X)
        complexity = yaml.safe_load(meta_file.read_text())["system"]["complexity"]
        assert complexity == {"total_parameters": 4 * 23 + 23, "MACS": macs}


def test_numbers_and_arrays_of_numpy_are_written_as_they_read(write):
    """Whatever a model hands out goes into the file as Python's own value."""
    _, meta_file = write(
        name=np.str_("Trees"),
        authors=[AUTHORS[0] | {"corresponding": np.bool_(True)}, AUTHORS[1] | {"corresponding": np.bool_(False)}],
        complexity={"total_parameters": np.int64(2**40), "MACS": np.array(7, dtype=np.uint32)},
        description={
            "input_sampling_rate": np.float32(44.1),
            "audio_representation": np.array([np.float32(0.1), 2.5], dtype=np.float32),
            "data_augmentation": {"mixup": np.float16(0.5), np.str_("gain"): (np.int8(-3), pd.NA)},
        },
        external_datasets=[{"name": "a", "share": np.float64(1 / 3), "used": np.bool_(False)}],
    )
    text = meta_file.read_text(encoding="utf-8")
    assert "!!python" not in text
    meta = yaml.safe_load(text)
    system = meta["system"]
    assert meta["submission"]["name"] == "Trees"
    assert [author["corresponding"] for author in meta["submission"]["authors"]] == [True, False]
    assert system["complexity"] == {"total_parameters": 2**40, "MACS": 7}
    assert system["description"]["input_sampling_rate"] == 44.1
    assert system["description"]["audio_representation"] == [0.1, 2.5]
    assert system["description"]["data_augmentation"] == {"mixup": 0.5, "gain": [-3, None]}
    assert system["external_datasets"] == [{"name": "a", "share": 1 / 3, "used": False}]


@pytest.mark.parametrize("strange", [1j, np.complex64(1), object(), {"deep": [pd.Timestamp("2026-01-01")]}])
def test_what_yaml_cannot_write_is_named(write, tmp_path, strange):
    with pytest.raises(DataFormatError, match="which YAML cannot write"):
        write(description={"summary": strange})
    assert list((tmp_path / "task1").iterdir()) == []


@pytest.mark.parametrize("count", [np.float64(12), np.bool_(True), np.int64(-1), np.array([12])])
def test_a_count_of_numpy_that_is_no_whole_number(write, count):
    with pytest.raises(DataFormatError, match="total_parameters must be a whole number"):
        write(complexity={"total_parameters": count, "MACS": None})


def test_broken_rules_leave_nothing_behind(write, tmp_path):
    with pytest.raises(DataFormatError) as error:
        write(
            y_pred=pd.Series(["fx-a", "fx-other", "fx"], index=["0", "0", "9"]),
            prediction_score=[0.5, 1.5, np.nan],
            abbreviation="far too long a name",
            authors=[{"lastname": "Doe"}],
            complexity={"total_parameters": "12 M"},
        )
    message = str(error.value)
    for part in (
        "Nothing was written because of 11 problem(s)",
        "1 id(s) stand more than once ('0')",
        "5 of 6 ids are missing ('1.wav', '2', '3.wav', ...)",
        "1 id(s) are not in the evaluation set ('9')",
        "line 3: 2 row(s) predict something else than one of the 23 second-level classes ('fx', 'fx-other')",
        "line 3: prediction_score '1.5' is not a number in [0, 1] (2 such row(s))",
        "abbreviation 'far too long a name' has more than 10 characters",
        "author 1: firstname is missing",
        "author 1: email is missing",
        "author 1: affiliation is missing",
        "0 authors have 'corresponding: true'; expected one",
        "total_parameters must be a whole number",
    ):
        assert part in message
    assert ".writing" not in message
    assert list((tmp_path / "task1").iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"team": "Doe"}, "team='Doe'"),
        ({"team": "Doe UX"}, "team='Doe UX'"),
        ({"complexity": None}, "Pass complexity="),
        ({"description": {"sumary": ""}}, r"unknown key\(s\) \['sumary'\]"),
        ({"system": 5}, "system"),
        ({"development": {"y_true": ["fx-a"], "y_pred": ["fx-a", "fx-a"]}}, "have 1, 2 and 1 rows"),
        ({"development": {"y_true": ["fx-zz"], "y_pred": ["fx-a"]}}, "not leaves of the taxonomy"),
    ],
)
def test_bad_arguments(write, changes, message):
    with pytest.raises(ValueError, match=message):
        write(**changes)


def test_ids_that_differ_by_an_extension(write, evaluation):
    output, _ = write()
    output.write_text(output.read_text().replace(".wav", ""))
    problems = verify_submission(output, evaluation=evaluation, on_problem="return")
    assert len(problems) == 2
    assert "3 of 6 ids are missing ('1.wav', '3.wav', '5.wav'). They differ by an extension such as .wav" in problems[0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id,predicted", "ID,predicted", "the header is ID,predicted_bst"),
        ("0,fx-a,0.5", "0,fx-a,0.5,x", "line 2: 4 cells, but the header has 3"),
        ("0,fx-a", ",fx-a", "line 2: the id is empty"),
        ("0,fx-a,0.5", "0,fx-a,", "prediction_score '' is not a number"),
        ("0,fx-a,0.5", "0,fx-a,inf", "prediction_score 'inf' is not a number"),
        ("0,fx-a", "0,FX-A", "line 2: 1 row.s. predict something else"),
    ],
)
def test_rules_of_the_output_file(write, old, new, message):
    output, _ = write()
    text = output.read_text()
    assert old in text
    output.write_text(text.replace(old, new, 1))
    with pytest.raises(DataFormatError, match=message):
        verify_submission(output)


def change_meta(path, keys, value):
    meta = yaml.safe_load(path.read_text(encoding="utf-8"))
    part = meta
    for key in keys[:-1]:
        part = part[key]
    if value is None:
        del part[keys[-1]]
    else:
        part[keys[-1]] = value
    path.write_text(yaml.safe_dump(meta), encoding="utf-8")


BSD = ["results", "development_datasets", "bsd10k-v1.2"]


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (["submission"], None, "'submission' is missing"),
        (["submission", "label"], "Doe_UX_task1_2", "label is 'Doe_UX_task1_2', but the file name says"),
        (["submission", "name"], "", "name is missing"),
        (["submission", "authors"], [], "authors must be a list"),
        (["submission", "authors", 1, "corresponding"], True, "2 authors have 'corresponding: true'"),
        (["system"], None, "'system' is missing"),
        (["system", "source_code"], None, "source_code is missing"),
        (["system", "description", "summary"], None, "description: summary is missing"),
        (["system", "complexity", "MACS"], -1, "MACS must be a whole number, or null"),
        (["system", "complexity", "total_parameters"], True, "total_parameters must be a whole number"),
        (["results"], None, "overall and class_wise are missing"),
        ([*BSD, "overall", "hF"], 80.84, "hF is 80.84; expected a number in .0, 1., not per cent"),
        ([*BSD, "class_wise", "fx-a"], None, "class fx-a is missing"),
        ([*BSD, "class_wise", "fx-zz"], {}, "'fx-zz' is no class"),
        ([*BSD, "class_wise", "fx-a", "hP"], "high", "class_wise: fx-a: hP is 'high'"),
    ],
)
def test_rules_of_the_meta_file(write, keys, value, message):
    output, meta_file = write()
    change_meta(meta_file, keys, value)
    with pytest.raises(DataFormatError, match=message):
        verify_submission(output)


def test_meta_file_that_cannot_be_read(write):
    output, meta_file = write()
    meta_file.write_text("a: [1")
    with pytest.raises(DataFormatError, match="is not readable YAML"):
        verify_submission(output)
    meta_file.write_text("- 1")
    with pytest.raises(DataFormatError, match="holds no mapping"):
        verify_submission(output)
    meta_file.unlink()
    with pytest.raises(DataFormatError, match=r"meta\.yaml is missing"):
        verify_submission(output)


def test_package(write, tmp_path, evaluation):
    for system in (1, 2, 3, 4):
        write(system=system, folder=tmp_path / f"package/task1/Doe_UX_task1_{system}")
    assert verify_submission(tmp_path / "package", evaluation=evaluation) == []
    write(system=4, folder=tmp_path / "package/copy")
    write(team="Roe_UY", folder=tmp_path / "package/other")
    problems = verify_submission(tmp_path / "package", on_problem="return")
    assert len(problems) == 2
    assert "label(s) ['Doe_UX_task1_4'] stand more than once" in problems[0]
    assert "systems of several teams ['Doe_UX', 'Roe_UY']" in problems[1]


def test_meta_information_without_an_output(write, tmp_path):
    output, meta_file = write(folder=tmp_path / "package" / "one")
    orphan = tmp_path / "package" / "two" / "Doe_UX_task1_2.meta.yaml"
    orphan.parent.mkdir()
    orphan.write_text(meta_file.read_text())
    (problem,) = verify_submission(tmp_path / "package", on_problem="return")
    assert f"{orphan}: there is no Doe_UX_task1_2.output.csv beside it" in problem
    assert verify_submission(output) == []


def test_an_empty_output_file_is_told_its_own_header(write):
    output, _ = write()
    output.write_text("")
    with pytest.raises(DataFormatError, match="empty; the header id,predicted_bst_second_level_class is needed"):
        verify_submission(output)


def test_results_without_any_score_of_a_class(write):
    output, meta_file = write()
    nothing = {leaf: {"hP": None, "hR": None, "hF": None} for leaf in BST.leaves.tolist()}
    change_meta(meta_file, [*BSD, "class_wise"], nothing)
    with pytest.raises(DataFormatError, match="class_wise: every score is null"):
        verify_submission(output)
    nothing["fx-a"]["hR"] = 0.5
    change_meta(meta_file, [*BSD, "class_wise"], nothing)
    assert verify_submission(output) == []


@pytest.mark.parametrize("name", ["output.csv", "Doe_task1_1.output.csv", "Doe_UX_task1_5.output.csv", "x.csv"])
def test_file_names(write, name):
    output, _ = write()
    renamed = output.rename(output.with_name(name))
    with pytest.raises(DataFormatError, match=r"the name must be such as|submits systems 1 to 4"):
        verify_submission(renamed)


def test_nothing_to_verify(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no \*\.output\.csv"):
        verify_submission(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        verify_submission(tmp_path / "nowhere")


def test_odd_predictions_warn(write):
    with pytest.warns(UserWarning, match="every row is predicted 'fx-a'"):
        output, _ = write(y_pred=["fx-a"] * 6, ids=["0", "1.wav", "2", "3.wav", "4", "5.wav"])
    with pytest.warns(UserWarning, match="every row is predicted") as record:
        verify_submission(output)
    assert record[0].filename == __file__


IDS = {
    "floats": (np.arange(6.0), ["0", "1", "2", "3", "4", "5"]),
    "bytes": ([b"0", b"1", b"2", b"3", b"4", b"5"], ["0", "1", "2", "3", "4", "5"]),
    "two levels": (pd.MultiIndex.from_product([["a"], range(6)]), [f"a/{i}" for i in range(6)]),
    "no UTF-8": (["caf\udce9", *"12345"], [r"caf\xe9", *"12345"]),
}


@pytest.mark.parametrize("kind", IDS)
def test_ids_of_any_type_are_written_as_text(write, kind):
    ids, expected = IDS[kind]
    output, _ = write(y_pred=["fx-a", "fx-o"] * 3, ids=ids, evaluation=None)
    assert [line.split(",")[0] for line in output.read_text().splitlines()[1:]] == expected


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, ""])
def test_an_id_that_is_missing_is_named(write, missing):
    for ids in (["a", missing, *"bcde"], pd.Series(["a", missing, *"bcde"], dtype=object)):
        with pytest.raises(DataFormatError, match=r"1 of 6 ids are missing \(first: position 1\)"):
            write(y_pred=["fx-a"] * 6, ids=ids, evaluation=None)
