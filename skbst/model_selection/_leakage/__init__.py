"""What a leakage report looks at."""
