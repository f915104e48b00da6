"""What the makers of embeddings share: rows of sounds, rows of texts, one clip on one thread."""
