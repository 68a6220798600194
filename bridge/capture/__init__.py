"""What a torch module does when it runs, observed from outside, without names or types.

`observe_calls` and `observed` watch it run; `export` and `translate` turn the graph that it runs
into a graph in the project's vocabulary.
"""

from bridge.capture.as_a_whole import AsAWhole, observe_whole
from bridge.capture.calls import Known, observed
from bridge.capture.copies import copied, duplicate, eagerly, lifted
from bridge.capture.eager import Eager, run_eager
from bridge.capture.exported import Exported, Source, export
from bridge.capture.forward import Call, Example, Passed, examples, run_once
from bridge.capture.labels import with_labels
from bridge.capture.parents import Calls, observe_calls
from bridge.capture.parts import layers_of
from bridge.capture.translate import Captured, translate

__all__ = [
    "AsAWhole",
    "Call",
    "Calls",
    "Captured",
    "Eager",
    "Example",
    "Exported",
    "Known",
    "Passed",
    "Source",
    "copied",
    "duplicate",
    "eagerly",
    "examples",
    "export",
    "layers_of",
    "lifted",
    "observe_calls",
    "observe_whole",
    "observed",
    "run_eager",
    "run_once",
    "translate",
    "with_labels",
]
