"""A day in three systems on this machine, played with the real thing over real HTTP."""

from sync_engine.demo.stage import play

__all__ = ["play"]
