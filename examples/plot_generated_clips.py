"""
Made clips: sounds and texts of all 23 classes
==============================================

`make_bst_clips` synthesises a data set in the layout of BSD10k-v1.2: 44.1 kHz mono WAV files, a metadata table with
titles, tags and descriptions as people write them, uploaders, licences and annotators' confidence. No file is shipped
and none is downloaded. Examples and tests of this package live on it; scores on it say nothing about recordings.
"""

import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import soundfile
from scipy.signal import spectrogram

from skbst.datasets import load_bsd, make_bst_clips, make_bst_table

folder = tempfile.TemporaryDirectory()
root = make_bst_clips(folder.name, n_clips=46, class_weights="balanced", max_duration=4.0, random_state=7)
sounds = load_bsd(root)
print(sounds.data[["title", "tags"]].assign(target=sounds.target).head(8).to_string())

# %%
# What each clip really is stands in a table beside the layout. Label noise and a sound in the background are written
# there, too.

truth = pd.read_csv(root / "made_truth.csv", dtype={"sound_id": str}).set_index("sound_id")
print(truth.head(8).to_string())

# %%
# One clip of each class, power in dB below 10 kHz. Plucked and struck notes start together and die; speech has
# syllables and pauses; a passing car swells and dulls; soundscapes have layers.

figure, axes = plt.subplots(6, 4, figsize=(11, 11), layout="constrained")
taxonomy = sounds.taxonomy
for axis, code in zip(axes.flat, taxonomy.leaves):
    sound_id = sounds.target.index[sounds.target == code][0]
    waveform, sample_rate = soundfile.read(sounds.data.loc[sound_id, "audio"])
    window = min(1024, len(waveform))
    hz, seconds, power = spectrogram(waveform, sample_rate, nperseg=window, noverlap=window // 2)
    axis.pcolormesh(seconds, hz, 10 * np.log10(power + 1e-14), vmin=-110, vmax=-40, cmap="magma", rasterized=True)
    axis.set(ylim=(0, 10_000), yticks=[])
    axis.set_title(f"{code} {truth.loc[sound_id, 'kind']}", fontsize=9)
axes.flat[-1].set_axis_off()
figure.suptitle("One made clip per class: frequency up to 10 kHz over seconds")
plt.show()

# %%
# A set labelled by its uploaders, as BSD35k-CS is: no confidence, wrong labels by habit, a few large accounts. The
# table alone, without sound, is made in a second.

table, really = make_bst_table(1000, flavour="bsd35k", random_state=7, return_truth=True)
wrong = (table["class"] != really) & ~table["class"].str.endswith("-other")
largest = table["uploader"].value_counts(normalize=True).iloc[:10].sum()
print(f"wrong labels {wrong.mean():.0%}, '-other' rows {table['class'].str.endswith('-other').mean():.0%}")
print(f"share of the ten largest uploaders {largest:.0%}")
print(f"wrong among the rows labelled is-p {wrong[table['class'] == 'is-p'].mean():.0%}")

folder.cleanup()
