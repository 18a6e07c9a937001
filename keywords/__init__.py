"""The words, pure: which request to stop, to start or for help a message makes, and how sure."""
