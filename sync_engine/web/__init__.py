"""The HTTP face of the running service: health, metrics, administration."""

from sync_engine.web.serving import listening

__all__ = ["listening"]
