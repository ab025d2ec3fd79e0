"""`python -m cctv`: the same as the command `cctv`."""

from cctv.cli import entry

if __name__ == "__main__":
    entry()
