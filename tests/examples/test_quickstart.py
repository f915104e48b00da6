import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "plot_quickstart.py"


@pytest.mark.slow
def test_from_made_clips_to_a_saved_model(tmp_path):
    command = [sys.executable, str(SCRIPT), "--fast", "--jobs", "1", "--out", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    said = result.stdout
    rows = re.findall(r"^(1|2|all) +(?:[\d.]+ / [\d.]+ *){4}$", said, flags=re.MULTILINE)
    assert rows == ["1", "2", "all"]
    assert "log-STFT + KNN against logistic regression" in said
    assert "made sounds: scores on them say nothing about real ones" in said
    assert re.search(r"Best of 72 cells with 1 fits: \{'classifier__alpha'", said)
    assert len(re.findall(r"^  \d+ '.+': [a-z]+-[a-z]+ \([01]\.\d\d\)$", said, flags=re.MULTILINE)) == 3
    assert (tmp_path / "confusion.png").stat().st_size > 10_000
    assert (tmp_path / "model.joblib").exists()
