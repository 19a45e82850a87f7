"""`python -m srgan_lightning`, the same as `srgan`."""

from srgan_lightning.cli import main

if __name__ == "__main__":
    main()
