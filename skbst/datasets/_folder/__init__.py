"""Where the files of a data set lie, and what they are."""
