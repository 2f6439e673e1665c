"""Faces: decoding, packing, reading and drawing them."""
