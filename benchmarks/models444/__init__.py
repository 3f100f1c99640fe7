"""The 444 models on which DeepDiagnosis was evaluated: built, trained under `Diagnose`, and judged.

Sources: the artefact of AUTOTRAINER (Zhang et al., ICSE 2021, doi:10.1109/ICSE43902.2021.00043) with 391 models, and
the 53 programs of Table 6 of DeepDiagnosis (Wardat et al., ICSE 2022, doi:10.1145/3510003.3510071). What is taken over
are facts, no code.
"""
