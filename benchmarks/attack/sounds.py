"""Damaged sounds, all in one call, from a seed: does the process live, is every row there, is every loss named?

    python benchmarks/attack/sounds.py [--mutated 2000] [--oggs 2000] [--seed 0]

``--mutated`` sounds of 12 containers are cut, joined, overwritten, shifted or given wrong numbers in their headers.
``--oggs`` Ogg files (Vorbis and Opus) have bytes changed under a page checksum that is then made right, so that the
decoder sees the damage. All of them are loaded in one process with one call for each of the crops at the start and in
the middle, and for the whole, and compared with what the undamaged files give.

A row is *lost* where the result has no finite waveform for it. It is *unnamed* where the waveform differs from that of
the undamaged file and there is no record, although the file gives the damage away: a length that is another, silence,
or other samples under a checksum. What no reader can know is counted apart: *samples*, where those of a format
without checksums changed (or under one that was made right), and *header*, where a number changed that nothing in the
file repeats (rate or channels of AU, CAF, NIST, SVX, VOC and Ogg, the rate of AIFF, that of ADPCM by less than 5 %, the
pre-skip of Opus).
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

RATE = 16000
SECONDS = 2.0
CONTAINERS = (
    ("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("WAV", "GSM610"), ("FLAC", None),
    ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None), ("AIFF", None), ("CAF", "PCM_16"), ("CAF", "ALAC_16"),
    ("AU", None), ("RF64", None), ("W64", None), ("VOC", "PCM_16"), ("NIST", None), ("SVX", "PCM_16"),
)  # fmt: skip
_WORDS = (bytes(4), b"\xff\xff\xff\xff", b"\1\0\0\0", b"\0\0\0\x80")
# decoders are exact, so equal files give equal samples; crops are resampled from other places
TOLERANCE = 1e-4
CALLS = (("start", 1.0), ("center", 1.0), ("start", None))


def sound(generator, seconds=SECONDS):
    """A chord in noise; never silent for long."""
    time_axis = np.arange(round(seconds * RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * frequency * time_axis) for frequency in generator.uniform(100, 4000, 3))
    return (0.2 * chord + generator.normal(0, 0.05, len(time_axis))).clip(-0.9, 0.9).astype(np.float32)


def encoded(container, subtype, generator):
    out = io.BytesIO()
    soundfile.write(out, sound(generator), RATE, format=container, subtype=subtype)
    return out.getvalue()


def mutated(data, generator):
    """Damage bytes in one of several ways."""
    data, n_bytes = bytearray(data), len(data)
    kind = generator.integers(8)
    if kind == 0:
        return bytes(data[: generator.integers(1, n_bytes)])
    if kind == 1:
        for place in generator.integers(0, min(64, n_bytes), generator.integers(1, 4)):
            data[place] = generator.integers(256)
    elif kind == 2:
        for place in generator.integers(0, n_bytes, generator.integers(1, 50)):
            data[place] = generator.integers(256)
    elif kind == 3:
        start, length = generator.integers(0, n_bytes), generator.integers(1, n_bytes)
        del data[start : start + length]
    elif kind == 4:
        place = generator.integers(0, n_bytes)
        data[place:place] = generator.bytes(generator.integers(1, 5000))
    elif kind == 5:
        place = 4 * generator.integers(0, min(20, n_bytes // 4))
        data[place : place + 4] = [(0, 0, 0, 0), (255, 255, 255, 255), (1, 0, 0, 0), (0, 0, 0, 128)][
            generator.integers(4)
        ]
    elif kind == 6:
        start = generator.integers(0, n_bytes)
        stop = min(n_bytes, start + generator.integers(1, 8000))
        data[start:stop] = bytes(stop - start)
    else:
        data += data[: generator.integers(1, n_bytes)]
    return bytes(data)


def _table():
    table = []
    for value in range(256):
        remainder = value << 24
        for _ in range(8):
            remainder = (remainder << 1 ^ 0x04C11DB7) & 0xFFFFFFFF if remainder >> 31 else remainder << 1
        table.append(remainder)
    return table


_TABLE = _table()


def _checksum(page):
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _TABLE[value >> 24 ^ byte]
    return value


def damaged_ogg(data, generator):
    """Change bytes of one or two pages, headers twice as often as sound, and make their checksums right."""
    data = bytearray(data)
    starts = [place for place in range(len(data)) if data.startswith(b"OggS", place)]
    stops = [*starts[1:], len(data)]
    for _ in range(generator.integers(1, 3)):
        which = (
            min(len(starts) - 1, generator.integers(3))
            if generator.random() < 2 / 3
            else generator.integers(len(starts))
        )
        start, stop = starts[which], stops[which]
        first = start + 27 + data[start + 26]
        for _ in range(generator.integers(1, 4)):
            data[generator.integers(first, max(first + 1, stop))] = generator.choice([0, 1, 127, 128, 255])
        data[start + 22 : start + 26] = bytes(4)
        data[start + 22 : start + 26] = _checksum(data[start:stop]).to_bytes(4, "little")
    return bytes(data)


def write_all(folder, n_mutated, n_oggs, seed):
    """Write the files; returns the path of each and that of the undamaged one."""
    generator = np.random.default_rng(seed)
    paths, sources = [], []
    wholes = [(kind.lower(), encoded(kind, subtype, generator)) for kind, subtype in CONTAINERS]
    oggs = [encoded("OGG", subtype, generator) for subtype in ("VORBIS", "OPUS")]
    for i in range(n_mutated):
        extension, whole = wholes[i % len(wholes)]
        paths.append(folder / f"mutated-{i}.{extension}")
        paths[-1].write_bytes(mutated(whole, generator))
        sources.append(folder / f"whole-{i % len(wholes)}.{extension}")
        sources[-1].write_bytes(whole)
    for i in range(n_oggs):
        paths.append(folder / f"ogg-{i}.ogg")
        paths[-1].write_bytes(damaged_ogg(oggs[i % 2], generator))
        sources.append(folder / f"whole-ogg-{i % 2}.ogg")
        sources[-1].write_bytes(oggs[i % 2])
    return [[str(path), str(source)] for path, source in zip(paths, sources)]


def load_all(pairs):
    """Load all files in this process; returns one row of figures for each call."""
    from skbst.audio import load_clips

    paths = [path for path, _ in pairs]
    wholes = sorted({whole for _, whole in pairs})
    return [_compared(load_clips, pairs, paths, wholes, offset, duration) for offset, duration in CALLS]


def _compared(load_clips, pairs, paths, wholes, offset, duration):
    expected = dict(zip(wholes, load_clips(wholes, duration=duration, offset=offset)[0]))
    waveforms, _, report = load_clips(paths, duration=duration, offset=offset)
    named = set(report["position"].tolist())
    row = {"offset": offset, "duration": duration, "sounds": len(paths), "named": len(named), "unnamed_files": []}
    row |= dict.fromkeys(("same", "samples", "header", "unnamed", "lost"), 0)
    for i, (path, whole) in enumerate(pairs):
        if waveforms[i] is None or not np.isfinite(waveforms[i]).all():
            row["lost"] += 1
        elif i not in named:
            kind = verdict(waveforms[i], expected[whole], path, whole)
            row[kind] += 1
            row["unnamed_files"] += [path] if kind == "unnamed" else []
    return row


def verdict(waveform, expected, path, whole):
    """What a waveform without a record is: the same, changed in a way that nobody can know, or unnamed."""
    n_common = min(len(waveform), len(expected))
    is_equal = bool(np.allclose(waveform[:n_common], expected[:n_common], atol=TOLERANCE))
    if len(waveform) == len(expected) and is_equal:
        return "same"
    if not waveform.any():
        return "unnamed"
    if _hidden_numbers(path) != _hidden_numbers(whole):
        return "header"
    has_checksums = path.endswith(".flac") or (path.endswith(".ogg") and "mutated" in Path(path).name)
    return "samples" if len(waveform) == len(expected) and not has_checksums else "unnamed"


def _hidden_numbers(path):
    """Numbers of the header that nothing else in the file repeats: rate and channels, and the pre-skip of Opus."""
    if path.endswith((".flac", ".mp3")):
        return None
    with soundfile.SoundFile(path) as file:
        if file.subtype.startswith("PCM") and file.format in ("WAV", "WAVEX", "RF64", "W64"):
            return None
        numbers, is_opus = (file.samplerate, file.channels), file.subtype == "OPUS"
    return numbers, Path(path).read_bytes()[38:44] if is_opus else b""


def attack(n_mutated, n_oggs, seed, folder):
    """Write the files, load them in a process of its own; returns its exit status, its rows and what it printed."""
    pairs = write_all(Path(folder), n_mutated, n_oggs, seed)
    code = (
        f"import json, sys, warnings; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "warnings.simplefilter('ignore')\n"
        "import sounds\n"
        "rows = sounds.load_all(json.load(sys.stdin))\n"
        "print('ROWS' + json.dumps(rows))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(pairs), capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    rows = [json.loads(line[4:]) for line in lines if line.startswith("ROWS")]
    printed = [line for line in lines if not line.startswith("ROWS")] + done.stderr.splitlines()
    return done.returncode, rows[0] if rows else [], printed


def table(rows):
    """The figures as text, with the first files that are unnamed."""
    columns = ("sounds", "same", "named", "samples", "header", "unnamed", "lost")
    lines = [f"{'crop':>8}{'seconds':>9}" + "".join(f"{name:>9}" for name in columns)]
    for row in rows:
        shown = "whole" if row["duration"] is None else f"{row['duration']:g}"
        lines.append(f"{row['offset']:>8}{shown:>9}" + "".join(f"{row[name]:9}" for name in columns))
        lines += [f"  unnamed: {name}" for name in row["unnamed_files"][:20]]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutated", type=int, default=2000)
    parser.add_argument("--oggs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", default=None, help="folder for the files; default: a temporary one")
    options = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        status, rows, printed = attack(options.mutated, options.oggs, options.seed, options.keep or folder)
    print(f"{options.mutated} mutated sounds and {options.oggs} Oggs with right checksums, seed {options.seed}")
    print(f"exit status {status}, {len(printed)} lines printed by others, {time.perf_counter() - started:.0f} s")
    for line in printed[-20:]:
        print("  printed:", line[:200])
    print(table(rows))
    return 0 if status == 0 and not any(row["lost"] or row["unnamed"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
