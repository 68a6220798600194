"""What a torch module does when it runs, seen from outside: no reading of names or types."""

from bridge.capture.calls import observed
from bridge.capture.copies import copied, lifted
from bridge.capture.parents import Calls, observe_calls

__all__ = ["Calls", "copied", "lifted", "observe_calls", "observed"]
