"""What a portfolio may lose: returns, value at risk, exposure, stress, sizes and stops."""
