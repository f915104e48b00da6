"""
From doubtful labels to a better score
======================================

Every real set has wrong labels. `skbst.curation.LabelAudit` says which to look at first, a person decides, and what was
decided counts in the labels, in the next ranking and in a neighbour bank. The clips are made titles, tags and
descriptions without sound, one label in ten is wrong on purpose, and the person is played by the right labels: the
figures say nothing about recordings, and with sound the calls are the same.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skbst.curation import LabelAudit, apply_review, next_questions
from skbst.datasets import make_bst_table
from skbst.features import ClipFeaturizer, TextLSAFeaturizer
from skbst.metrics import hierarchical_f1_score
from skbst.neighbors import KNNPriorBlender
from skbst.plotting import LabelAuditDisplay

table = make_bst_table(1600, random_state=3).set_index("sound_id")
words, truth, uploaders = table[["title", "tags", "description"]], table["class"], table["uploader"]
train = ~uploaders.isin(uploaders.drop_duplicates().sample(frac=0.3, random_state=0))

rng = np.random.default_rng(0)
wrong = rng.choice(np.flatnonzero(train), int(0.1 * train.sum()), replace=False)
given = truth.copy()
given.iloc[wrong] = rng.choice(truth.unique(), len(wrong))
print(f"{(given != truth).sum()} of {train.sum()} labels are wrong.")

# %%
# Any classifier with ``predict_proba`` will do, also a pipeline that takes tables of clips. Nobody is judged by a model
# that has seen the clip.

model = make_pipeline(ClipFeaturizer([("text", TextLSAFeaturizer(64, random_state=0))]), LogisticRegression(C=30))
audit = LabelAudit(model, random_state=0).fit(words[train], given[train], groups=uploaders[train])
first = audit.ranking_.iloc[0]
print(words.loc[first.name, "title"], "|", first["label"], "->", first["suggestion"])
print(first["reason"])
print(audit.ranking_[["label", "suggestion", "score", "cost", "fits_pack", "fits_world"]].head(8))

# %%
# How many of the wrong labels are found, beside the usual score: how unlikely the model itself finds the given label.

plain = audit.ranking_.sort_values("position")["proba_pack"]
LabelAuditDisplay.from_estimator(audit, truth[train], rivals={"self-confidence": plain}, first=300)
plt.show()

# %%
# A person looks at ten clips at a time. Each answer ranks what is left anew; the audit it came from stays.

asking = audit
for _ in range(20):
    names = asking.ranking_.index[:10]
    asking = asking.answer(names, truth[names])
answers = asking.answers_
changed = answers != given[answers.index]
print(f"{changed.sum()} wrong labels found by looking at {len(answers)} of {train.sum()} clips.")

# %%
# The decisions go into the labels with a log, as those of the review page do. ``log.to_csv`` makes the table that
# ``load_bsd(corrections=)`` and ``skbst train --corrections`` take.

review = pd.DataFrame(
    {
        "sound_id": answers.index,
        "label": given[answers.index].to_numpy(),
        "decision": np.where(changed, "change", "keep"),
        "new_label": answers.where(changed, "").to_numpy(),
        "who": "a made person",
    }
)
corrected, log = apply_review(given, review)
print(log.head(3).to_string(index=False))

# %%
# The score on clips of other uploaders: with the labels as they were given, as they were corrected, and as they are.

for name, labels in (("given", given), ("corrected", corrected), ("right", truth)):
    fitted = model.fit(words[train], labels[train])
    score = hierarchical_f1_score(truth[~train], fitted.predict(words[~train]), zero_division=0)
    print(f"hF with the labels as {name:9s}: {score:.3f}")

# %%
# A neighbour bank need not wait for the next training: corrections count in it at once, in a new model.

rows = pd.Index(words.index[train]).get_indexer(log["sound_id"])
bundle = model[:-1].fit(words[train]).transform(words[train])
blender = KNNPriorBlender(LogisticRegression(C=30), alpha=0.5).fit(bundle, given[train])
at_once = blender.correct(rows, log["to"])
asked = model[:-1].transform(words[~train])
for name, bank in (("before", blender), ("after", at_once)):
    print(f"hF {name}: {hierarchical_f1_score(truth[~train], bank.predict(asked), zero_division=0):.3f}")

# %%
# And of clips that nobody has labelled: which to ask about next, at most two of one uploader.

model.fit(words[train], corrected[train])
questions = next_questions(model, words[~train], n=5, groups=uploaders[~train], max_per_group=2)
print(questions[["predicted", "proba", "gain"]].join(words["title"].str[:40]))
