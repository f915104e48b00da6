"""Sound files to waveforms: decode, mix to mono, resample, fix the duration, and say what went wrong."""

from skbst.audio._clip_loader import ClipLoader
from skbst.audio._decode import as_waveform, decode, decode_array, decode_file, decode_source, scale_integers
from skbst.audio._length import fix_length
from skbst.audio._load import load_clip, load_clips, start_positions
from skbst.audio._long_sound import LongSound
from skbst.audio._problems import DecodeProblem, announce_problems, collect_problems, problem_report, record_problems
from skbst.audio._resample import resample
from skbst.audio._survey import OUT_OF_MEMORY

__all__ = [
    "OUT_OF_MEMORY",
    "ClipLoader",
    "DecodeProblem",
    "LongSound",
    "announce_problems",
    "as_waveform",
    "collect_problems",
    "decode",
    "decode_array",
    "decode_file",
    "decode_source",
    "fix_length",
    "load_clip",
    "load_clips",
    "problem_report",
    "record_problems",
    "resample",
    "scale_integers",
    "start_positions",
]
