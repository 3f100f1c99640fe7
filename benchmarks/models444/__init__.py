"""The 444 models on which DeepDiagnosis was evaluated: built, trained, judged and scored.

Sources: the artefact of AUTOTRAINER (Zhang et al., ICSE 2021, doi:10.1109/ICSE43902.2021.00043), whose 391 models these
are so far; what is taken over are facts, no code.
"""
