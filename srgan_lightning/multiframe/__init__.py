"""Many low-resolution frames of one thing: read, registered, fused."""
