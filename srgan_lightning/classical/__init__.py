"""Methods without a trained network: interpolation, sparse coding, total variation."""
