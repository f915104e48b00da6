"""What featurizers share of the clips they are given."""
