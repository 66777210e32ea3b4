"""What the whole portal can say about itself: is it ready, and its figures."""

from portal.services.figures import home_figures, measures, statistics
from portal.services.health import beat, heartbeat_age, readiness

__all__ = ["beat", "heartbeat_age", "home_figures", "measures", "readiness", "statistics"]
