"""Trading: what follows from a decision, from price levels on."""
