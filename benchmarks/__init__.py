"""Measurements of deepdebug: what it finds, what it must not find, and what it costs."""
