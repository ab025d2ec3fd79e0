"""The room of the public side: seeing what viewers see, and asking a CDN to forget."""
