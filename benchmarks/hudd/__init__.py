"""HUDD's first research question on tasks with known causes: do clusters of failures have one cause each?"""
