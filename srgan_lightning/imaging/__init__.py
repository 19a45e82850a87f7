"""Pictures in and out: whatever lies in the file, uint8 RGB in memory."""
