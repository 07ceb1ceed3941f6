"""Store images: a file system with the environments of some locks, all that they need, and Nix's database of it."""

from nixgen.store_image.making import StoreImage, make_store_image

__all__ = ["StoreImage", "make_store_image"]
