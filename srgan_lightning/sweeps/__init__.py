"""Many runs of one command: what launches them, what chooses them, and going on with them."""
