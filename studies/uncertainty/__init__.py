"""What an ensemble's uncertainty is worth on images it was never shown."""
