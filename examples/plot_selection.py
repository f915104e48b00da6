"""
Which rows of a larger set are worth training on
================================================

A set that its uploaders labelled holds more clips than a curated one, and more wrong labels. `make_bsd_grand` takes
from it what holds: known classes, texts that say something, labels on which teachers trained on the curated set agree,
and no more than a few clips of one class from one uploader (section 2.4 of the report). Nothing goes without a line in
the manifest. The metadata here are made, by a program that knows which labels are wrong, so that the choice can be
checked; the figures say nothing about real uploaders.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.utils import Bunch

from skbst.datasets import make_bst_table
from skbst.plotting import SelectionDisplay
from skbst.sampling import make_bsd_grand


def as_bunch(table):
    table = table.set_index("sound_id")
    return Bunch(data=table[["title", "tags", "description"]], target=table["class"], metadata=table)


base = as_bunch(make_bst_table(800, random_state=0))
table, truth = make_bst_table(1500, flavour="bsd35k", random_state=1, return_truth=True)
candidates = as_bunch(table)
print(candidates.metadata[["class", "uploader", "title", "tags"]].head(6).to_string(max_colwidth=40))

# %%
# The recipe, with a cap that bites at this size. Teachers are linear models on the words, two folds of them under each
# of three views of the metadata; with sounds at hand, any classifier can be one (``teacher=``).

grand = make_bsd_grand(base, candidates, cap=6, min_per_class=5, cv=2)
print(f"{len(base.data)} base rows and {grand.train_only.sum()} of {len(candidates.data)} candidates")
print(grand.manifest.loc[grand.manifest["kept"], ["class", "uploader", "n_words", "score"]].head(4).to_string())

# %%
# Each bar is a class: green what stays, then what each rule took. Teachers that have seen 800 rows are strict. A class
# that would fall below ``min_per_class`` keeps its best rows all the same.

SelectionDisplay.from_manifest(grand.manifest)
plt.show()

# %%
# As shares of the class, the small ones can be read, too.

display = SelectionDisplay.from_manifest(grand.manifest, normalize=True)
display.ax_.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
plt.show()

# %%
# The first rule that a row failed stands in its line. Since these rows are made, it is known how many of the labels
# that each rule let go were wrong: few among what stays, many more among what the teachers rejected, though most of
# that was right, too. Strictness costs rows, and pays where candidates are plenty. The cap is not about wrong labels:
# it keeps one uploader's habits from becoming the class.

outcome = grand.manifest["reason"].str.split(r" \(|:", regex=True).str[0].replace("", "kept")
wrong = pd.Series(truth.to_numpy() != candidates.target.to_numpy(), index=grand.manifest.index)
summary = wrong.groupby(outcome).agg(["size", "mean"]).rename(columns={"size": "rows", "mean": "wrong labels"})
print(summary.sort_values("rows", ascending=False).to_string(float_format="{:.0%}".format))

# %%
# A data card in Markdown says the same to those who get the set.

print(grand.card[:900])
