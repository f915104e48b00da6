"""What varies training batches: frames and embeddings."""
