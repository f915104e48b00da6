"""Where computed things are kept."""
