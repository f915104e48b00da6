"""From checked rows to a trained net."""
