"""Objects on S3: the one way in which Icefloe reads and writes them."""
