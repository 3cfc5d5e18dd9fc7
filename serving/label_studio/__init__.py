"""The service as an ML backend of Label Studio."""
