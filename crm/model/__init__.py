"""The records of the CRM and how a field of theirs is checked; no input or output."""

from crm.model.activity import CONTACTING, INTERACTIONS, FollowUp, Interaction
from crm.model.billing import PERIODS, TAX_CATEGORIES, Service
from crm.model.clients import Client, Contact, StatusRule, View, named
from crm.model.conventions import Conventions
from crm.model.data import TIME_ZONE, Setting
from crm.model.mail import (
    ARRIVED,
    CHANNELS,
    DIRECTIONS,
    OPT_OUT_WAYS,
    STATES,
    UNSENT,
    Mailing,
    Message,
    OptOut,
    Template,
)
from crm.model.record import Field, Record
from crm.model.registry import (
    BY_NAME,
    LASTING,
    RECORDS,
    belonging_to,
    field_names,
    fields,
    keeping,
    links,
    owner_link,
    people,
    typed_fields,
)
from crm.model.sales import FIRST_STAGES, OUTCOMES, Deal, Sale, Stage, StageMove
from crm.model.team import KEY_MAY, ROLES, Dashboard, MachineKey, SignIn, User

__all__ = [
    "ARRIVED",
    "BY_NAME",
    "CHANNELS",
    "CONTACTING",
    "DIRECTIONS",
    "FIRST_STAGES",
    "INTERACTIONS",
    "KEY_MAY",
    "LASTING",
    "OPT_OUT_WAYS",
    "OUTCOMES",
    "PERIODS",
    "RECORDS",
    "ROLES",
    "STATES",
    "TAX_CATEGORIES",
    "TIME_ZONE",
    "UNSENT",
    "Client",
    "Contact",
    "Conventions",
    "Dashboard",
    "Deal",
    "Field",
    "FollowUp",
    "Interaction",
    "MachineKey",
    "Mailing",
    "Message",
    "OptOut",
    "Record",
    "Sale",
    "Service",
    "Setting",
    "SignIn",
    "Stage",
    "StageMove",
    "StatusRule",
    "Template",
    "User",
    "View",
    "belonging_to",
    "field_names",
    "fields",
    "keeping",
    "links",
    "named",
    "now",
    "owner_link",
    "people",
    "typed_fields",
]
