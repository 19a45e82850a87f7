"""Registered frames made into one picture of higher resolution."""
