"""Companion specifications: which associations a kind of meter offers, and where its objects are. Data, no behaviour.

companion = companion_named("is15959")
companion.association(client_sap=80).counter        # 0.0.43.1.5.255
"""

from meterwright.companion.is15959 import IS15959
from meterwright.companion.profile import AssociationProfile, Companion
from meterwright.companion.registry import COMPANIONS, PLAIN, companion_named

__all__ = ["COMPANIONS", "IS15959", "PLAIN", "AssociationProfile", "Companion", "companion_named"]
