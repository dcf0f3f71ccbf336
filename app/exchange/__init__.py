"""A local exchange: Binance's public spot format over a simulated or a recorded market."""
