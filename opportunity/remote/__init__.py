"""The agent of another process: what `opportunity.connect` is made of. No server is imported."""
