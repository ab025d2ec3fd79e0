"""cctv-images: a fleet of cameras, turned into public still images that are never wrong."""

__version__ = "0.1.0"

PUBLISHER = f"cctv-images/{__version__}"
