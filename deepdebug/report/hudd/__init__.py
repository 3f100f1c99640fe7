"""The page about the groups of failures that `deepdebug hudd` finds, from the records to one HTML file."""
