"""Encoders of frames, and the parts they are built of."""
