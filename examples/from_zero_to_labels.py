"""
From zero to labels
===================

The whole way on a fresh machine: get a labelled data set, train on the CLAP vectors that it ships, embed your own
sounds with the same CLAP, label them and look at the result.

    python examples/from_zero_to_labels.py                            # offline: made clips for all of it, a minute
    python examples/from_zero_to_labels.py --fetch --sounds my_sounds  # BSD10k's tables and vectors, and your sounds
    python examples/from_zero_to_labels.py --data path/to/BSD10k-v1.2 --sounds my_sounds

``--fetch`` downloads the metadata and the shipped vectors of BSD10k and no sounds. Shipped vectors need the extra
``skbst[clap]`` for your own sounds; where it is not there, or nothing is shipped, descriptors that need no download
take their place. What separates shipped vectors from computed ones is measured where the data set's sounds are there,
and said. Scores on made clips say nothing about real sounds.
"""

import argparse
import importlib.util
from pathlib import Path

import pandas as pd

from skbst.datasets import fetch_bsd10k, load_bsd, make_bst_clips
from skbst.features import ClapAudioFeaturizer, embedding_skew
from skbst.library import label_library, with_clap
from skbst.persistence import save_model
from skbst.systems import baseline


def get_clips(arguments):
    """A labelled data set: fetched, from a folder, or made."""
    if arguments.fetch:
        return fetch_bsd10k(parts=("metadata", "features"))
    if arguments.data is not None:
        return load_bsd(arguments.data, on_missing_audio="ignore")
    print("No data set was given: making 161 clips of all 23 classes.")
    return load_bsd(make_bst_clips(arguments.out / "made", n_clips=161, max_duration=2.0, random_state=0))


def say_skew(clips, store):
    """Cosines between shipped vectors and those that this machine makes of the same sounds."""
    there = (clips.data["audio"] != "").to_numpy().nonzero()[0][:20]
    if not len(there):
        print("The data set's sounds are not here: how far computed vectors are from shipped ones is not known.")
        return
    few = clips.data.iloc[there]
    computed = ClapAudioFeaturizer(store=store).fit_transform(few)
    skew = embedding_skew(computed, clips.embeddings["clap_audio"][there], sound_ids=few.index)
    print(f"Cosine of shipped and computed vectors of {len(few)} clips:\n{skew.quantiles.to_string()}")
    if skew.quantiles[0.5] < 0.99:
        print(
            "That is another CLAP, or another way of reading sounds: labels of your sounds will be worse than scored."
        )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--fetch", action="store_true", help="download tables and vectors of BSD10k")
    source.add_argument("--data", help="folder of a labelled data set")
    parser.add_argument("--sounds", help="folder of your own sounds; made ones without it")
    parser.add_argument("--out", type=Path, default=Path("zero-output"), help="default: zero-output")
    parser.add_argument("--size", choices=["small", "report"], default="small")
    arguments = parser.parse_args(arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)

    # %%
    # A labelled data set, and a system that is trained on it.

    clips = get_clips(arguments)
    print(clips.DESCR)
    shipped = "clap_audio" in clips.embeddings and importlib.util.find_spec("laion_clap") is not None
    kind = {"embeddings": "shipped", "root": clips.root} if shipped else {"embeddings": "builtin"}
    model = baseline(size=arguments.size, taxonomy=clips.taxonomy, random_state=0, **kind)
    model.fit(clips.data, clips.target)
    save_model(model, arguments.out / "model", overwrite=True)

    # %%
    # Your sounds have no shipped vectors: the same CLAP computes them, and the folder "vectors" keeps them.

    if shipped:
        say_skew(clips, arguments.out / "vectors")
        model = with_clap(model, store=arguments.out / "vectors")

    # %%
    # Label, and look.

    sounds = arguments.sounds
    if sounds is None:
        sounds = make_bst_clips(arguments.out / "own", n_clips=46, max_duration=2.0, random_state=1) / "audio"
    summary = label_library(model, sounds, arguments.out / "labels", verbose=1)
    print(summary)
    table = pd.read_parquet(arguments.out / "labels")
    print(f"\nHow many of each class:\n{table['predicted'].value_counts().head(10).to_string()}")
    doubtful = table.sort_values("proba")[["sound_id", "predicted", "proba", "class_2", "proba_2"]]
    print(f"\nThe least sure ones, to listen to first:\n{doubtful.head(5).to_string(index=False)}")
    return table


if __name__ == "__main__":
    main()
