"""From a camera's recording to composites and masks on disk, afterwards or while it is being made."""
