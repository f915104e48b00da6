"""What joins the embeddings beside the trunk, each starting as nothing."""
