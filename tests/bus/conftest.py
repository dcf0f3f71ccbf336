"""A real Redis for the tests of the bus."""

from redis_server import redis_server as redis_server
