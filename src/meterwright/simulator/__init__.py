"""Meters that are not there: objects with behaviour, firmware that takes an image, state that outlives its process."""

from meterwright.simulator.associations import SERVED, AssociationPolicy, MeterIdentity
from meterwright.simulator.behaviour import (
    Access,
    Behaviour,
    Refusal,
    Stored,
    exact,
    invokes,
    reads,
    selects,
    writes,
)
from meterwright.simulator.clock import LoopClock, ManualClock, MeterClock, SystemClock
from meterwright.simulator.configuration import is15959_config, plain_config
from meterwright.simulator.faults import FAULTS, with_faults
from meterwright.simulator.image_machine import Candidate, ImageMachine, Judgement, Timing
from meterwright.simulator.image_transfer import ImageTransferBehaviour, largest_block
from meterwright.simulator.is15959 import is15959_meter
from meterwright.simulator.logical_devices import (
    LogicalDevices,
    SapAssignmentBehaviour,
    SimulatedLogicalDevice,
)
from meterwright.simulator.measuring import Measurement, event_log, load_profile
from meterwright.simulator.meter import SimulatedMeter, meter_name, serial_digits
from meterwright.simulator.objects import ClockBehaviour, ComputedData, ComputedRegister
from meterwright.simulator.parts import system_title
from meterwright.simulator.plain import plain_meter
from meterwright.simulator.profile import (
    BufferForm,
    Moments,
    ProfileBehaviour,
    ProfileColumn,
    clock_column,
    every,
)
from meterwright.simulator.record import BlockMap, ImageRecord, MeterRecord, MethodCalls
from meterwright.simulator.schedules import ScheduleBehaviour, ScriptTableBehaviour
from meterwright.simulator.service import Listening, MeterRunner, SimulatedService
from meterwright.simulator.settings import MOST_LOGICAL_DEVICES, MeterSettings, SecuritySettings
from meterwright.simulator.storage import DirectoryStorage, Disk, MemoryStorage, MeterStorage

__all__ = [
    "FAULTS",
    "MOST_LOGICAL_DEVICES",
    "SERVED",
    "Access",
    "AssociationPolicy",
    "Behaviour",
    "BlockMap",
    "BufferForm",
    "Candidate",
    "ClockBehaviour",
    "ComputedData",
    "ComputedRegister",
    "DirectoryStorage",
    "Disk",
    "ImageMachine",
    "ImageRecord",
    "ImageTransferBehaviour",
    "Judgement",
    "Listening",
    "LogicalDevices",
    "LoopClock",
    "ManualClock",
    "Measurement",
    "MemoryStorage",
    "MeterClock",
    "MeterIdentity",
    "MeterRecord",
    "MeterRunner",
    "MeterSettings",
    "MeterStorage",
    "MethodCalls",
    "Moments",
    "ProfileBehaviour",
    "ProfileColumn",
    "Refusal",
    "SapAssignmentBehaviour",
    "ScheduleBehaviour",
    "ScriptTableBehaviour",
    "SecuritySettings",
    "SimulatedLogicalDevice",
    "SimulatedMeter",
    "SimulatedService",
    "Stored",
    "SystemClock",
    "Timing",
    "clock_column",
    "event_log",
    "every",
    "exact",
    "invokes",
    "is15959_config",
    "is15959_meter",
    "largest_block",
    "load_profile",
    "meter_name",
    "plain_config",
    "plain_meter",
    "reads",
    "selects",
    "serial_digits",
    "system_title",
    "with_faults",
    "writes",
]
