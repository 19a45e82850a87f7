"""Pictures enlarged by a generator: tiles, the upscalers, and which file becomes which."""
