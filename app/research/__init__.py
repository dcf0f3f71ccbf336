"""What the verbs of research share: which bars, under which terms, how work is shown."""
