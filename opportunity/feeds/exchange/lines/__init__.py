"""WebSocket lines of an exchange, and what is heard on them besides bars."""
