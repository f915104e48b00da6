"""What the caution costs: reading Ogg onward, looking at every frame of a FLAC, checksums of saved models.

    python benchmarks/attack/costs.py [--minutes 10]
    python benchmarks/attack/costs.py --hours 1      # memory of CLAP's front end for one long FLAC

Times are the processor's, the best of three; the sounds are noise at 44.1 kHz, of which 5 s in the middle are wanted.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from sklearn.linear_model import LogisticRegression

from skbst.audio import LongSound, load_clip
from skbst.audio._containers._look import look_at
from skbst.features._clap._frontend import AudioSpec, log_mel, thirds
from skbst.features._clap._long_mel import prepare_long
from skbst.persistence import load_model, save_model
from skbst.persistence._files import check_files

RATE = 44100


def best(function, *arguments):
    taken = []
    for _ in range(3):
        start = time.process_time()
        function(*arguments)
        taken.append(time.process_time() - start)
    return 1000 * min(taken)


def seek_and_read(path):
    """What libsndfile takes where it seeks."""
    with soundfile.SoundFile(path) as file:
        file.seek(file.frames // 2)
        file.read(5 * RATE, dtype="float32")


def write_noise(path, minutes, **options):
    generator = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", RATE, 1, **options) as file:
        for _ in range(round(60 * minutes)):
            file.write(generator.normal(0, 0.1, RATE).astype(np.float32))


def front_end(root, hours):
    """Highest memory above that before, and time, of CLAP's front end for one FLAC of soft noise."""
    write_noise(root / "long.flac", 60 * hours, format="FLAC")
    spec = AudioSpec()
    log_mel(np.zeros(spec.max_samples, dtype=np.float32), spec)
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    sound = LongSound(root / "long.flac", spec.sample_rate)
    prepare_long(sound.blocks(), sound.n_samples, spec, thirds(sound.n_samples, spec))
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"CLAP's front end, {hours:g} h: {more:.0f} MB more, {time.process_time() - started:.0f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--hours", type=float, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        if options.hours:
            front_end(Path(root), options.hours)
            return
        for name, kind in (("noise.ogg", {"format": "OGG", "subtype": "VORBIS"}), ("noise.flac", {"format": "FLAC"})):
            path = Path(root) / name
            write_noise(path, options.minutes, **kind)
            loaded = best(lambda path=path: load_clip(path, sample_rate=RATE, offset="center"))
            print(f"{name}, {options.minutes:g} min, {path.stat().st_size / 1e6:.0f} MB: its middle {loaded:.0f} ms, "
                  f"of which the look at its pages or frames {best(look_at, path):.0f} ms; "
                  f"a seek of libsndfile's {best(seek_and_read, path):.0f} ms")  # fmt: skip
        X = np.random.default_rng(0).normal(size=(40, 200_000))
        folder = save_model(LogisticRegression(max_iter=1).fit(X, np.arange(40)), Path(root) / "model")
        size = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
        print(f"a model of {size:.0f} MB: loaded in {best(load_model, folder):.0f} ms, of which its checksums "
              f"{best(check_files, Path(folder), 3):.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
