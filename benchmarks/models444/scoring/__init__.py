"""The score of the 444 models: verdicts against labels, places and fixes of the programs, times, and what each adds."""
