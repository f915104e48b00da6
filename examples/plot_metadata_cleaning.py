"""
Cleaning titles, tags and descriptions
======================================

People name their sounds for themselves: file names, recorders, links, licences, and the same closing lines under
every upload. `MetadataCleaner` keeps what says how a clip sounds (sections 2.4 and 3.1 of the report). This example
cleans made metadata, shows what went, and what that does to a text classifier that has to work for uploaders it has
never seen.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skbst.datasets import make_bst_table
from skbst.features import TextLSAFeaturizer
from skbst.metrics import hierarchical_f1_score
from skbst.model_selection import official_folds
from skbst.text import MetadataCleaner

table = make_bst_table(1000, random_state=0).set_index("sound_id")
data, target, uploader = table[["title", "tags", "description"]], table["class"], table["uploader"]
for title, tags, description in data.head(4).to_numpy():
    print(f"{title!r}\n  {tags!r}\n  {description!r}")

# %%
# A table goes in, a table with the same rows comes out. The sentences that one uploader repeats are learnt in `fit`,
# which therefore wants to know the uploaders; cleaning does not.

cleaner = MetadataCleaner().fit(data, groups=uploader)
for title, tags, description in cleaner.transform(data).head(4).to_numpy():
    print(f"{title!r}\n  {tags!r}\n  {description!r}")

# %%
# What went, and how often. Nothing is removed silently.

report = cleaner.report_
print(report[["field", "step", "n_rows", "share", "examples"]].to_string(max_colwidth=90))

figure, axis = plt.subplots(figsize=(7, 4.5), layout="constrained")
labels = report["field"] + ": " + report["step"]
axis.barh(labels[::-1], 100 * report["share"][::-1], color="tab:blue")
axis.set(xlabel="clips from which something was taken, %", title="What cleaning removes")
plt.show()

# %%
# A view is one text per clip, for an encoder. It holds the encoder's 77 tokens at most; the title comes first, then
# tags, then the description, and what does not fit goes from the end.

for view in ("title", "title+tags", "title+tags+description"):
    print(f"{view:24s}", MetadataCleaner(view, max_tokens=24).fit(data, groups=uploader).transform(data).iloc[4])

# %%
# The single steps are functions of their own.

from skbst.text import clean_tags, clean_title, strip_boilerplate, strip_html

print(clean_title("20060301_BigDoor-slam_v2.wav"))
print(clean_tags("field-recording,zoom-h4n,rain,2008,120bpm,tr-909"))
print(strip_boilerplate(strip_html("Rain &amp; wind, recorded with a Zoom H4n.<br>Please credit me!")))

# %%
# `TextLSAFeaturizer` cleans by default. Here it is compared with itself on uncleaned text, on folds that hold no
# uploader of the training part.


def score(cleaner):
    scores = []
    for fold in official_folds(target, groups=uploader, n_splits=3):
        model = make_pipeline(TextLSAFeaturizer(128, cleaner=cleaner, random_state=0), LogisticRegression(C=10))
        predicted = model.fit(data.iloc[fold.train], target.iloc[fold.train]).predict(data.iloc[fold.test])
        scores.append(100 * hierarchical_f1_score(target.iloc[fold.test], predicted))
    return np.mean(scores)


print(f"hierarchical F1, uploaders unseen: raw text {score(None):.1f}, cleaned {score('default'):.1f}")
