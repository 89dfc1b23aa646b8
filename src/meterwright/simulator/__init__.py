"""Meters that are not there: objects with behaviour, firmware that takes an image, state that outlives its process."""

from meterwright.simulator.behaviour import Access, Behaviour, Refusal, Stored, invokes, reads, writes
from meterwright.simulator.clock import LoopClock, ManualClock, MeterClock, SystemClock
from meterwright.simulator.image_machine import Candidate, ImageMachine, Judgement, Timing
from meterwright.simulator.image_transfer import ImageTransferBehaviour, largest_block
from meterwright.simulator.meter import SERVED, AssociationPolicy, SimulatedMeter, meter_name, serial_digits
from meterwright.simulator.objects import ClockBehaviour, ComputedData, ComputedRegister, CurrentAssociation
from meterwright.simulator.plain import PlainSettings, plain_meter
from meterwright.simulator.record import BlockMap, ImageRecord, MeterRecord, MethodCalls
from meterwright.simulator.service import Listening, MeterRunner, SimulatedService
from meterwright.simulator.storage import DirectoryStorage, Disk, MemoryStorage, MeterStorage

__all__ = [
    "SERVED",
    "Access",
    "AssociationPolicy",
    "Behaviour",
    "BlockMap",
    "Candidate",
    "ClockBehaviour",
    "ComputedData",
    "ComputedRegister",
    "CurrentAssociation",
    "DirectoryStorage",
    "Disk",
    "ImageMachine",
    "ImageRecord",
    "ImageTransferBehaviour",
    "Judgement",
    "Listening",
    "LoopClock",
    "ManualClock",
    "MemoryStorage",
    "MeterClock",
    "MeterRecord",
    "MeterRunner",
    "MeterStorage",
    "MethodCalls",
    "PlainSettings",
    "Refusal",
    "SimulatedMeter",
    "SimulatedService",
    "Stored",
    "SystemClock",
    "Timing",
    "invokes",
    "largest_block",
    "meter_name",
    "plain_meter",
    "reads",
    "serial_digits",
    "writes",
]
