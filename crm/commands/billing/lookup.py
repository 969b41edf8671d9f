"""Lookup of services by their names."""

from collections.abc import Iterable

from crm.commands.lookup import MOST, Lookup, Matches, lookup
from crm.model import Service
from crm.model.folding import fold
from crm.repository import Query, Snapshot


@lookup(Service)
class ServiceLookup(Lookup[Service]):
    """A service by words of its name; one that is still offered first."""

    def matches(self, snapshot: Snapshot, text: str) -> Matches[Service]:
        words = fold(text).split()
        if not words:
            return Matches()
        fitting = [
            service for service in snapshot.find_all(Service) if all(word in fold(service.name) for word in words)
        ]
        offered = [service for service in fitting if service.active]
        return Matches(possible=(offered or fitting)[:MOST])

    def names(self, snapshot: Snapshot, begun: str, limit: int) -> Iterable[str]:
        return (service.name for service in snapshot.find_all(Service, Query({"active": True})))
