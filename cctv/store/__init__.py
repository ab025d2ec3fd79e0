"""Where: the stores, and the policies around them."""
