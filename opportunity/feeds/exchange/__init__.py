"""Live exchanges: REST and WebSocket through ccxt, final bars only."""
