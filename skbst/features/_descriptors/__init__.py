"""What stands in for embeddings where nothing can be downloaded."""
