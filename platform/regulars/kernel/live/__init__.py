"""Live updates: open pages hear, within a moment, that something they show has changed.

A message says only *what* has changed (a topic), never how: a page fetches its part again over HTTP, where all rights
are checked as ever. Messages travel by Redis and may be lost; pages ask by themselves as well, so nothing depends on
them.
"""

from regulars.kernel.live.announcer import Announcer
from regulars.kernel.live.hub import Client, Full, Hub, Limits, Pace
from regulars.kernel.live.listener import LiveListener

__all__ = ["Announcer", "Client", "Full", "Hub", "Limits", "LiveListener", "Pace"]
