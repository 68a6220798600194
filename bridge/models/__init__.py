"""Real models: which theorem applies to which layer, with which margins, and what is not
covered."""

from bridge.models.audit import graph_requests, judge_model
from bridge.models.inputs import Inputs
from bridge.models.layer import Layer, Model
from bridge.models.read import read_model
from bridge.models.run import audit_model
from bridge.models.settings import Options

__all__ = [
    "Inputs",
    "Layer",
    "Model",
    "Options",
    "audit_model",
    "graph_requests",
    "judge_model",
    "read_model",
]
