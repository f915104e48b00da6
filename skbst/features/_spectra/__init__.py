"""Frames: log-STFT, log-Mel and MFCC."""
