"""The engine "innvestigate": the same call answered by iNNvestigate 2.1.2, in the same process, through tf_keras."""

from deepdebug.lrp.innvestigate.engine import InnvestigateExplainer

__all__ = ["InnvestigateExplainer"]
