"""What a checkpoint of CLAP is: fetched, found by its content, read without running code, told apart by its weights."""
