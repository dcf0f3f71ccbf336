"""What is seen of a running server from outside: numbers, requests, readiness."""
