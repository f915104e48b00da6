"""From frames to one vector."""
