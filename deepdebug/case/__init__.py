"""A case to look into: its images, and how they become the input of its model."""

from deepdebug.case.preprocessing import Preprocessing

__all__ = ["Preprocessing"]
