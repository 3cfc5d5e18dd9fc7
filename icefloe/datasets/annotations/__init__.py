"""What label tools write: outlines and bitmaps of classes, read with every check, and drawn as masks."""
