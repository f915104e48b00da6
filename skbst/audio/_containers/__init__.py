"""What the bytes of a sound file promise, read before any decoder sees them."""
