"""The agent: its loop, its streams, its ranking; and the scan of stored data."""
