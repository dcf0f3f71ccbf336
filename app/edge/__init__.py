"""Several processes: edges that serve the stream and pass the rest on, and who starts them.

Nothing here imports the agent, the pages or the database when it is loaded: an edge is light.
"""
