"""Submission files of DCASE 2026 Task 1, written and checked, and the complexity of a system."""

from skbst.submission._measure_complexity import measure_complexity
from skbst.submission._verify_submission import verify_submission
from skbst.submission._write_submission import write_submission

__all__ = ["measure_complexity", "verify_submission", "write_submission"]
