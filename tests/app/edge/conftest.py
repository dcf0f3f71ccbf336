"""A real Redis for the tests of several processes."""

from redis_server import redis_server as redis_server
