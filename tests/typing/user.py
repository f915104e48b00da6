"""What a typed user writes; mypy reads it, nobody runs it."""

from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from skbst.conformal import HierarchicalConformalClassifier
from skbst.curation import LabelAudit
from skbst.datasets import load_bsd, make_bst_clips
from skbst.ensemble import HierarchicalVotingClassifier
from skbst.features import ClipFeaturizer, FeatureBundle, LogMelFeaturizer, LogSTFTFeaturizer
from skbst.library import label_library
from skbst.metrics import hierarchical_f1_score
from skbst.model_selection import official_folds
from skbst.neighbors import KNNPriorBlender, top_k_cosine
from skbst.neural import BranchClassifier, Recipe
from skbst.persistence import load_model, save_model
from skbst.submission import verify_submission
from skbst.systems import SystemPipeline, system_1
from skbst.taxonomy import BST, Taxonomy

root = make_bst_clips("clips", n_clips=23, random_state=0)
clips = load_bsd(Path("clips"), commercial_use=True)
system = system_1(embeddings="builtin", size="small", store=Path("store"), random_state=0)
assert_type(system, SystemPipeline)
assert_type(system.fit(clips.data, clips.target, groups=clips.groups), SystemPipeline)
assert_type(system.predict_top(clips.data), NDArray[Any])

network = BranchClassifier("log-stft", head="lcl", recipe=Recipe.small(), max_epochs=3, device="cpu")
blender = KNNPriorBlender(network, alpha=0.3, k=20, temperature=0.1)
assert_type(blender.alpha, float)
assert_type(blender.fit(np.zeros((4, 3)), ["fx-a", "fx-a", "m-m", "m-m"]), KNNPriorBlender)
similarities, rows = top_k_cosine(np.eye(3), np.eye(3), 2)
assert_type(rows, NDArray[Any])

bundle = FeatureBundle({"audio": np.zeros((2, 4))})
assert_type(bundle.select("audio"), FeatureBundle)
frames, lengths = LogMelFeaturizer(duration=1.0, store="store").fit(["a.wav"]).transform_frames(["a.wav"])
assert_type(lengths, NDArray[Any])
features = ClipFeaturizer([("log_stft", LogSTFTFeaturizer(offset="center"))], n_jobs=2)

assert_type(BST, Taxonomy)
assert_type(Taxonomy.from_csv("BST_description.csv", top_names={"fx": "Sound effects"}).leaves, NDArray[Any])
assert_type(verify_submission("task1", on_problem="return"), list[str])
assert_type(save_model(system, "model", overwrite=True), Path)
model = load_model("model")
summary, folds = label_library(model, "sounds", "labels", rows=100), official_folds(clips.target)
vote = HierarchicalVotingClassifier([("a", network)], voting="logit", weights=[1.0])
sets = HierarchicalConformalClassifier(vote, confidence_level=0.9, recall_floor={"fx-a": 0.99})
audit = LabelAudit(vote, cv=5)
score = hierarchical_f1_score(["fx-a"], ["fx-h"], zero_division=0.0)

# what is wrong is an error: mypy says so where an ignore is not needed
system_1(size="large")  # type: ignore[arg-type]
system_1("builtin")  # type: ignore[call-arg]
BranchClassifier("log-stft", head="hatr")  # type: ignore[arg-type]
KNNPriorBlender(network, alpha="0.3")  # type: ignore[arg-type]
LogMelFeaturizer(n_mel=64)  # type: ignore[call-arg]
LogMelFeaturizer(on_error="skip")  # type: ignore[arg-type]
Taxonomy.from_csv(3)  # type: ignore[arg-type]
verify_submission("task1", on_problem="print")  # type: ignore[arg-type]
BST.leaf_of("fx")  # type: ignore[attr-defined]
