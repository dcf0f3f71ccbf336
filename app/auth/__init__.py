"""Who calls, and what they may do: identities, passwords, tokens and the gate in front of all."""
