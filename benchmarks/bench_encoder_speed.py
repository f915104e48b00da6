"""Speed and memory of the encoders against their own libraries called directly, on one thread.

``texts``: 1,024 titles and tags of BSD10k v1.0, whole and shortened, through MiniLM.

``sounds``: random weights of the published widths, of which only the first layers are built (time does not depend on
the numbers): AST, Whisper's encoder, HuBERT, wav2vec2 and CLAP. Sounds of 1 to 3 s, and of 30 s, are drawn once; ours
against transformers clip by clip and in padded batches of 8, its extractor included, in turns. An encoder that reads
10 s at once gets longer sounds directly in pieces of its window, all pieces of a clip in one batch, so that both read
every second; wav2vec2 and HuBERT get the whole sound directly and windows of 10 s here. Memory is the peak beyond
what stood before the call (Linux).

    python benchmarks/bench_encoder_speed.py texts --minilm MODEL_FOLDER --data DATA
    python benchmarks/bench_encoder_speed.py sounds --models wav2vec2 clap --rounds 3
"""

import argparse
import ctypes
import os
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pandas as pd

from skbst.features import SentenceTransformerFeaturizer, TransformersAudioFeaturizer

BATCH = 8
LENGTHS = {"1 to 3 s": (24, 1.0, 3.0), "30 s": (2, 30.0, 30.0)}
# AST and Whisper take as long for a short sound as for a whole window
FEWER = {"ast": 8, "whisper": 8}


def speed_of_texts(minilm, data, n_texts=1024):
    """In turns, three times; the first is told apart: ours loads weights there and looks whether groups round alike."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    table = pd.read_csv(data / "bsd10k-v1.0" / "BSD10k_metadata.csv", keep_default_na=False)
    rows = np.random.default_rng(0).permutation(len(table))[:n_texts]
    whole = [f"{title} {tags.replace(',', ' ')}" for title, tags in table.loc[rows, ["title", "tags"]].to_numpy()]
    kinds = {
        "titles and tags": whole,
        "their first four words": [" ".join(text.split()[:4]) for text in whole],
        "three words, every fourth four times": [
            " ".join(text.split()[:3]) if i % 4 else 4 * (text + " ") for i, text in enumerate(whole)
        ],
    }
    theirs = SentenceTransformer(minilm, device="cpu")
    for name, texts in kinds.items():
        ours = SentenceTransformerFeaturizer(minilm, n_jobs=1).fit(texts)
        for _ in range(3):
            start = time.process_time()
            ours.transform(texts)
            middle = time.process_time()
            theirs.encode(texts, normalize_embeddings=True, show_progress_bar=False)
            own, other = middle - start, time.process_time() - middle
            print(f"  MiniLM, {name:37} skbst {own:6.2f} s, directly {other:6.2f} s: {own / other:.2f}", flush=True)


def build_wav2vec2(n_layers):
    import transformers

    config = transformers.Wav2Vec2Config(num_hidden_layers=n_layers)
    return transformers.Wav2Vec2Model(config), transformers.Wav2Vec2FeatureExtractor()


def build_hubert(n_layers):
    """As the large one: layer norms in its convolutions, and a mask over what fills up."""
    import transformers

    config = transformers.HubertConfig(num_hidden_layers=n_layers, feat_extract_norm="layer", conv_bias=True)
    return transformers.HubertModel(config), transformers.Wav2Vec2FeatureExtractor(return_attention_mask=True)


def build_ast(n_layers):
    import transformers

    return transformers.ASTModel(transformers.ASTConfig(num_hidden_layers=n_layers)), transformers.ASTFeatureExtractor()


def build_whisper(n_layers):
    """As whisper-base, but for its layers."""
    import transformers

    heads = {"encoder_attention_heads": 8, "decoder_attention_heads": 8, "encoder_ffn_dim": 2048}
    config = transformers.WhisperConfig(d_model=512, encoder_layers=n_layers, decoder_layers=1, **heads)
    return transformers.WhisperModel(config), transformers.WhisperFeatureExtractor()


def build_clap(n_layers):
    """The published size, all layers whatever is asked, without fusion."""
    import transformers

    config = transformers.ClapConfig(
        audio_config={"enable_fusion": False}, text_config={"num_hidden_layers": 1, "vocab_size": 1000}
    )
    return transformers.ClapModel(config), transformers.ClapFeatureExtractor(truncation="rand_trunc")


BUILDERS = {
    "wav2vec2": build_wav2vec2,
    "hubert": build_hubert,
    "ast": build_ast,
    "whisper": build_whisper,
    "clap": build_clap,
}


class Directly:
    """What a user of transformers writes.

    Parameters
    ----------
    name : str
        Of `BUILDERS`.

    model, extractor : transformers objects
        Their own.
    """

    def __init__(self, name, model, extractor):
        self.name, self.model, self.extractor = name, model, extractor
        self.rate = extractor.sampling_rate
        self.window = {"ast": round(10.24 * self.rate), "clap": 10 * self.rate}.get(name)

    def embed(self, waveforms):
        """One batch, a list of vectors."""
        import torch

        pieces = [waveforms]
        if self.window and max(map(len, waveforms)) > self.window:
            pieces = [[sound[i : i + self.window] for i in range(0, len(sound), self.window)] for sound in waveforms]
        with torch.inference_mode():
            return [self._forward(part) for part in pieces]

    def _forward(self, waveforms):
        options = {} if self.name in ("ast", "whisper", "clap") else {"padding": True}
        batch = self.extractor(waveforms, sampling_rate=self.rate, return_tensors="pt", **options)
        if self.name == "clap":
            return self.model.get_audio_features(**batch)
        if self.name == "ast":
            return self.model(**batch).pooler_output
        encoder = self.model.encoder if self.name == "whisper" else self.model
        return encoder(**batch).last_hidden_state.mean(dim=1)

    def alone(self, waveforms):
        return [self.embed([waveform]) for waveform in waveforms]

    def in_batches(self, waveforms):
        return [self.embed(waveforms[i : i + BATCH]) for i in range(0, len(waveforms), BATCH)]


def speed_of_sounds(name, lengths, rounds, n_layers):
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    torch.manual_seed(0)
    model, extractor = BUILDERS[name](n_layers)
    directly = Directly(name, model.eval(), extractor)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        extractor.save_pretrained(folder)
        for length in lengths:
            n_clips, low, high = LENGTHS[length]
            rng, n_clips = np.random.default_rng(0), min(n_clips, FEWER.get(name, n_clips))
            sizes = np.round(rng.uniform(low, high, n_clips) * directly.rate).astype(int)
            sounds = [rng.uniform(-0.5, 0.5, size).astype(np.float32) for size in sizes]
            ours = TransformersAudioFeaturizer(folder, n_jobs=1).fit([(sounds[0], directly.rate)])
            pairs = [(sound, directly.rate) for sound in sounds]
            ours.transform(pairs[:1])
            ways = {
                "skbst": lambda ours=ours, pairs=pairs: ours.transform(pairs),
                "clip by clip": lambda sounds=sounds: directly.alone(sounds),
                "in batches": lambda sounds=sounds: directly.in_batches(sounds),
            }
            tell(f"{name}, {n_clips} of {length}", ways, rounds)


def tell(title, ways, rounds):
    """Least time of each way and its peak of memory."""
    seconds, megabytes = {way: [] for way in ways}, {}
    for _ in range(rounds):
        for way, call in ways.items():
            before = start_of_peak()
            start = time.process_time()
            call()
            seconds[way].append(time.process_time() - start)
            megabytes[way] = max(megabytes.get(way, 0), (peak() - before) / 1024)
    own = min(seconds["skbst"])
    for way in ways:
        least = min(seconds[way])
        line = f"  {title:26} {way:13} {least:7.2f} s, peak {megabytes[way]:5.0f} MB"
        print(line + ("" if way == "skbst" else f"; skbst takes {own / least:.2f} of the time"), flush=True)


def start_of_peak():
    """Give free memory back and start the peak anew; memory now, in KB."""
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return read_status("VmRSS")


def peak():
    return read_status("VmHWM")


def read_status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=["texts", "sounds"])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SKBST_DATA", ".")))
    parser.add_argument("--minilm", help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--models", nargs="+", choices=BUILDERS, default=list(BUILDERS))
    parser.add_argument("--lengths", nargs="+", choices=LENGTHS, default=list(LENGTHS))
    parser.add_argument("--layers", type=int, default=4, help="of all but CLAP")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.kind == "texts":
        speed_of_texts(arguments.minilm, arguments.data)
        return
    for name in arguments.models:
        speed_of_sounds(name, arguments.lengths, arguments.rounds, arguments.layers)


if __name__ == "__main__":
    main()
