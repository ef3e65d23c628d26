"""What is wrong with how a command was called."""


class UsageError(Exception):
    """Ends the command with exit code 2."""
