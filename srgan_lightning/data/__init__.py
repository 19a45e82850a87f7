"""Files to uint8 crops to batches; only `data.datamodule` knows Lightning."""
