"""Many locks at once: what they hold, what they share, and what an upgrade of a package costs over all of them."""

from nixgen.fleet.figures import Figures, LockFigures, PackageFigures, SharingFigures, VersionFigures, figures_of
from nixgen.fleet.fleet import Fleet, FleetArchive, FleetLock, FleetModule, FleetWheel, read_fleet
from nixgen.fleet.holders import Holder, holders
from nixgen.fleet.search import Problem
from nixgen.fleet.upgrade import Upgrade, upgrade

__all__ = [
    "Figures",
    "Fleet",
    "FleetArchive",
    "FleetLock",
    "FleetModule",
    "FleetWheel",
    "Holder",
    "LockFigures",
    "PackageFigures",
    "Problem",
    "SharingFigures",
    "Upgrade",
    "VersionFigures",
    "figures_of",
    "holders",
    "read_fleet",
    "upgrade",
]
