"""How records travel from the agent's thread to the server's loop."""
