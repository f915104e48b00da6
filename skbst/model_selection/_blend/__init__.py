"""What a search over alpha and k computes."""
