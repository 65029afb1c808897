"""Who is asking, and may they? Capabilities, reaches, and managers that answer nobody without an actor.

This storey has no tables. It states the rules; the facts behind them (grants, concerns) come from the
authority named by the setting GANDAN_AUTHORITY.
"""

from gandan.access.actor import ANONYMOUS, Actor, Reach, SystemActor
from gandan.access.clock import now, today
from gandan.access.errors import Refused, Unscoped

__all__ = ["ANONYMOUS", "Actor", "Reach", "Refused", "SystemActor", "Unscoped", "now", "today"]
