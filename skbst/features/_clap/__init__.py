"""CLAP behind one door: checkpoints, the audio front end, and one adapter file per library that holds the network."""
