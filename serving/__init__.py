"""The service: an HTTP API and web pages over `icefloe.workflow` and the workspace's database."""
