"""The `deepdebug` command."""
