"""
From zero to labels
===================

The whole way on a fresh machine: get a labelled data set, train on the CLAP vectors that it ships, embed your own
sounds with the same CLAP, label them and look at the result.

    python examples/from_zero_to_labels.py                            # offline: made clips for all of it, a minute
    python examples/from_zero_to_labels.py --fetch --sounds my_sounds  # BSD10k's tables and vectors, and your sounds
    python examples/from_zero_to_labels.py --data path/to/BSD10k-v1.2 --sounds my_sounds

``--fetch`` downloads the metadata and the shipped vectors of BSD10k and no sounds. Shipped vectors need the
extra ``skbst[clap]`` for your own sounds, and CLAP's weights, which come with their first use (2 GB) or are named with
``--checkpoint``. Where CLAP is not there, or nothing is shipped, descriptors that need no download take its place.

What separates shipped vectors from those that this machine computes is measured before anything is labelled: of texts
always, of sounds where the data set's sounds are there. Scores on made clips say nothing about real sounds.
"""

import argparse
import importlib.util
from pathlib import Path

import pandas as pd

from skbst.datasets import fetch_bsd10k, load_bsd, make_bst_clips
from skbst.features import ClapAudioFeaturizer, ClapTextFeaturizer, embedding_skew
from skbst.library import label_library, with_clap
from skbst.persistence import save_model
from skbst.systems import baseline


def get_clips(arguments):
    """A labelled data set: fetched, from a folder, or made."""
    if arguments.fetch:
        return fetch_bsd10k(parts=("metadata", "features"), base_url=arguments.mirror)
    if arguments.data is not None:
        return load_bsd(arguments.data, on_missing_audio="ignore")
    print("No data set was given: making 161 clips of all 23 classes.")
    return load_bsd(make_bst_clips(arguments.out / "made", n_clips=161, max_duration=2.0, random_state=0))


def settings_of(arguments):
    """Which CLAP computes vectors, and where they are kept."""
    settings = {"store": arguments.out / "vectors"}
    if arguments.checkpoint is not None:
        settings["checkpoint"] = arguments.checkpoint
        settings["backend"] = "transformers" if Path(arguments.checkpoint).is_dir() else "laion-clap"
    return settings


def say_skew(what, featurizer, clips, shipped, rows):
    """Cosines between shipped vectors and those that this machine makes of the same clips."""
    few = clips.data.iloc[rows]
    skew = embedding_skew(featurizer.fit_transform(few), shipped[rows], sound_ids=few.index)
    median, lowest = skew.quantiles[0.5], skew.quantiles[0.0]
    print(f"Shipped and computed vectors of {skew.n_compared} {what}: median cosine {median:.4f}, lowest {lowest:.4f}.")
    if median < 0.99:
        print(f"That is another CLAP, or another way of reading {what}: labels will be worse than the model's scores.")


def say_skews(clips, settings):
    texts, sounds = range(len(clips.data))[:20], (clips.data["audio"] != "").to_numpy().nonzero()[0][:20]
    say_skew("texts", ClapTextFeaturizer(**settings), clips, clips.embeddings["clap_text"], list(texts))
    if len(sounds):
        say_skew("sounds", ClapAudioFeaturizer(**settings), clips, clips.embeddings["clap_audio"], sounds)
    else:
        print("The data set's sounds are not here: of sounds the skew is not known.")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--fetch", action="store_true", help="download tables and vectors of BSD10k")
    source.add_argument("--data", help="folder of a labelled data set")
    parser.add_argument("--mirror", default="https://zenodo.org", help="where --fetch finds Zenodo's API")
    parser.add_argument("--sounds", help="folder of your own sounds; made ones without it")
    parser.add_argument(
        "--checkpoint", help="CLAP's weights, a file or a folder of transformers; default: the official"
    )
    parser.add_argument("--out", type=Path, default=Path("zero-output"), help="default: zero-output")
    parser.add_argument("--size", choices=["small", "report"], default="small")
    arguments = parser.parse_args(arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)

    # %%
    # A labelled data set, and a system that is trained on it.

    clips = get_clips(arguments)
    print(clips.DESCR)
    can_embed = any(importlib.util.find_spec(name) for name in ("laion_clap", "transformers"))
    if arguments.fetch and not can_embed:
        raise SystemExit("BSD10k ships CLAP vectors; your own sounds need the same CLAP: pip install 'skbst[clap]'")
    shipped = {"clap_audio", "clap_text"} <= {*clips.embeddings} and can_embed
    kind = {"embeddings": "shipped", "root": clips.root} if shipped else {"embeddings": "builtin"}
    model = baseline(size=arguments.size, taxonomy=clips.taxonomy, random_state=0, **kind)
    model.fit(clips.data, clips.target)
    save_model(model, arguments.out / "model", overwrite=True)

    # %%
    # Your sounds have no shipped vectors: the same CLAP computes them, and the folder "vectors" keeps them.

    if shipped:
        settings = settings_of(arguments)
        say_skews(clips, settings)
        model = with_clap(model, **settings)
    else:
        print("No vectors are shipped, or no CLAP is here: descriptors that need no download, nothing to be skewed.")

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
