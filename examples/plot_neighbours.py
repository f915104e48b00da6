"""
What a network learnt, and what its neighbours add
==================================================

Three pictures for questions that come up with every model: did training stop where it should, how much weight do the
neighbours deserve, and why was this clip called that. The clips are made titles, tags and descriptions without sound,
so that the page runs in seconds; the figures say nothing about recordings, and with sound the calls are the same.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.model_selection import StratifiedShuffleSplit

from skbst.datasets import make_bst_table
from skbst.features import ClipFeaturizer, TextLSAFeaturizer
from skbst.metrics import hierarchical_f1_scorer
from skbst.model_selection import KNNBlendSearchCV
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier
from skbst.plotting import BlendSearchDisplay, LearningCurvesDisplay, NeighboursDisplay

table = make_bst_table(800, class_weights="tempered", random_state=3).set_index("sound_id")
words, y = table[["title", "tags", "description"]], table["class"]
train, test = next(StratifiedShuffleSplit(1, test_size=0.25, random_state=0).split(words, y))
featurizer = ClipFeaturizer([("text", TextLSAFeaturizer(96, random_state=0))]).fit(words.iloc[train])
X = featurizer.transform(words)

# %%
# The training of a network, here without the linear models that a small one usually adds to, so that there is something
# to see. A fifth of the training rows is held out; when the accuracy there has not risen for 15 epochs, training ends,
# and the best weights come back (dotted line). A validation loss that turns while the training loss goes on falling
# means overfitting; a best epoch at the very end means that ``max_epochs`` is too small, as it is on purpose here. The
# training loss is that of noisy, masked rows, and so may lie above the other.

plain = BranchClassifier(size="small", lr=3e-3, max_epochs=30, random_state=0)
LearningCurvesDisplay.from_estimator(plain.fit(X[train], y.iloc[train]))
plt.show()

# %%
# How much of the neighbours? A search over alpha, k and the temperature costs one fit per fold, since only the blending
# changes from cell to cell. At alpha 0 the network is alone, at 1 the neighbours are; the box marks the best cell.
# Where a row is of one colour, k hardly matters.

network = BranchClassifier(size="small", recipe="small", random_state=0)
grid = {"alpha": np.linspace(0, 1, 11), "k": [3, 5, 10, 20, 40, 80], "temperature": [0.02, 0.05, 0.1]}
search = KNNBlendSearchCV(KNNPriorBlender(network), grid, cv=3, scoring=hierarchical_f1_scorer)
search.fit(X[train], y.iloc[train])
print(f"{len(search.cv_results_['params'])} cells, {search.n_fits_} fits; best: {search.best_params_}")
BlendSearchDisplay.from_search(search)
plt.show()

# %%
# The best cell was chosen on the folds, so its score is a little too good. On clips that no fold has seen:

blender = KNNPriorBlender(network, **search.best_params_)
blender.fit(X[train], y.iloc[train], metadata=words.iloc[train])
for name, model in {"network alone": blender.estimator_, "with neighbours": blender}.items():
    print(f"{name:16s} hF {100 * hierarchical_f1_scorer(model, X[test], y.iloc[test]):.1f}")

# %%
# Why this class? Of a clip whose class the neighbours change, the bars are its neighbours in the training set with
# their weights, in the colour of their label; the lines are the classes, from the network's probabilities on the left
# to the neighbours' on the right. Where another line comes out on top, the decision flips.

together, alone = blender.predict(X[test]), blender.estimator_.predict(X[test])
changed, right = together != alone, together == y.iloc[test]
place = np.lexsort([~right, ~changed])[0]
title = words["title"].iloc[test[place]]
print(f"{title!r} is {y.iloc[test[place]]}; the network alone says {alone[place]}")
colours = ListedColormap([*plt.get_cmap("tab20").colors, *plt.get_cmap("tab20b").colors])
options = {"n_neighbors": 10, "title": title[:40], "cmap": colours}
display = NeighboursDisplay.from_estimator(blender, X[test], row=place, **options)
display.axes_[1].legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
plt.show()
