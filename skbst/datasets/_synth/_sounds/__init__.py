"""The sounds of the procedural library, registered by their class."""
