"""Workers hold models, read images and run what is asked for; web processes import none of it."""
