"""Serving: the pictures and a plain page, when the store is a folder."""
