"""The sub-commands of `srgan`, one a file: parse, compose, call, report."""
