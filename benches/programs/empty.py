"""An empty program: start-up and memory."""
