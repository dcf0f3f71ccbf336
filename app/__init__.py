"""The application around the core: command line, server, API, pages."""
