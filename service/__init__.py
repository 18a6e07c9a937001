"""The wiring: settings, the two servers, the supervisor, the command."""
