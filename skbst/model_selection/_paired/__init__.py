"""What a paired comparison computes."""
