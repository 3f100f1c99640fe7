"""Numbers that apply where nothing else is asked for; loads nothing, so that the help texts can tell them."""

# The paper's (IEEE TR 2021, section III-D). Every arm gets the budget that follows from it; the published code took 2
# for assigning, 1 for HUDD's bags and 0.3 for the baselines, which were so given fewer labels.
FACTOR = 0.3
SELECT = "Mixed"  # the paper's is "ClosestU"; see `docs/retraining-results.md`, "What was tried"
QUOTA = "prevalence"
EPOCHS = 10  # as HUDD took for two of its cases
BATCH_SIZE = 32
PATIENCE = 3
VALIDATION = 0.1
