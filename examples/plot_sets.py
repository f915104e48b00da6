"""
Take what is sure, look at the rest
===================================

A classifier always says something. `skbst.conformal.HierarchicalConformalClassifier` says how far that can be trusted:
a set of classes that holds the right one as often as promised, or the deepest node of the tree that can be vouched for,
or nothing. The clips are made titles, tags and descriptions without sound, so that the page runs in seconds; the
figures say nothing about recordings, and with sound the calls are the same.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skbst.conformal import HierarchicalConformalClassifier, node_answer_report, shift_report
from skbst.datasets import make_bst_table
from skbst.features import ClipFeaturizer, TextLSAFeaturizer
from skbst.plotting import AnswerCurveDisplay, ClassCoverageDisplay, ReliabilityDisplay, SizeCoverageDisplay

table = make_bst_table(1500, random_state=3).set_index("sound_id")
words, y, uploaders = table[["title", "tags", "description"]], table["class"].to_numpy(), table["uploader"]
new = uploaders.isin(uploaders.drop_duplicates().sample(frac=0.4, random_state=0)).to_numpy()

# %%
# Around any classifier, here a pipeline that takes tables of clips. Thresholds are learnt from clips of uploaders that
# the model has not seen. Speech must not be missed, so it has a floor; that some classes have too few clips for it is
# said, not hidden.

system = make_pipeline(ClipFeaturizer([("text", TextLSAFeaturizer(64, random_state=0))]), LogisticRegression(C=30))
model = HierarchicalConformalClassifier(
    system, confidence_level=0.9, recall_floor={"sp-s": 0.95}, max_nodes=3, random_state=0
)
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    model.fit(words[~new], y[~new], groups=uploaders[~new])
print("\n".join(str(warning.message) for warning in said))
report = model.calibration_report_
print(f"{report['rows']} clips of {report['groups']} uploaders, as good as {report['effective_groups']:.0f} equal ones")
print(f"coverage {report['coverage']:.3f}, {report['mean_set_size']:.1f} classes in a set; floor: {report['floors']}")

# %%
# Four answers for a clip: its set, the nodes that cover it, the one node that can be vouched for, and why there is no
# better one.

answers = model.answer(words[new])
rows = [np.flatnonzero(answers.node == node)[0] for node in dict.fromkeys(answers.node)][:8]
print(
    pd.DataFrame(
        {
            "title": words["title"][new].str[:30].iloc[rows],
            "truth": y[new][rows],
            "node": answers.node[rows],
            "nodes": [" ".join(answers.nodes[row]) for row in rows],
            "reason": answers.reason[rows],
        }
    ).to_string(index=False)
)

# %%
# What was promised, on uploaders that nobody has seen. The table is the one to decide by: how much is done by itself,
# and how much goes to a person.

for level in (0.8, 0.9, 0.95):
    again = HierarchicalConformalClassifier(system, confidence_level=level, random_state=0)
    nodes = again.fit(words[~new], y[~new], groups=uploaders[~new]).predict_node(words[new])
    shares = node_answer_report(y[new], nodes)
    print(
        f"at {level:.0%}: {shares['leaf']['share']:.0%} get a class, {shares['top']['share']:.0%} a top level, "
        f"{shares['refused']['share']:.0%} go to a person; {shares['wrong']:.1%} of all are wrong"
    )

# %%
# Coverage by class, with the band that chance leaves; what a higher promise costs, in classes and in nodes of the tree;
# accuracy against the share that is answered; and what the probabilities are worth at both levels.

ClassCoverageDisplay.from_estimator(model, words[new], y[new])
figure, axes = plt.subplots(1, 3, figsize=(14, 4.5), layout="constrained")
SizeCoverageDisplay.from_estimator(model, words[new], y[new], max_nodes=3, ax=axes[0])
AnswerCurveDisplay.from_estimator(model, words[new], y[new], ax=axes[1])
ReliabilityDisplay.from_estimator(model, words[new], y[new], n_bins=10, ax=axes[2])
plt.show()

# %%
# A library of another kind, with soundscapes only: its shares are re-estimated without a label, and the report says
# what becomes of the promise.

soundscapes = new & np.char.startswith(y.astype(str), "ss")
shift = shift_report(model, words[soundscapes])
print(shift.message)
print(shift.classes[shift.classes["saerens"] > 0.02].round(2))
