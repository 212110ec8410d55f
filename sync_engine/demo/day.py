"""The scripted day: what users of the three systems do to people of the cast."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sync_engine.demo.compare import NAMED, Reading
from sync_engine.demo.systems import Systems

#: system, object, first name, last name -> record id
Find = Callable[[str, str, str, str], str]


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that a user does."""

    system: str
    object: str
    who: tuple[str, str]  #: first and last name, as the system has them
    says: str
    tells: str  #: the golden field that shows it; empty for what is no edit of a field
    action: str = "update"
    values: Mapping[str, Any] | None = None


DAY = (
    Deed("sales", "Lead", ("Ana", "Horvat"), "corrects the phone of Ana Horvat", "phone",
         values={"Phone": "+38515550199"}),
    Deed("service", "lead", ("Marko", "Kovač"), "promotes Marko Kovač", "job_title",
         values={"jobtitle": "Senior Buyer"}),
    Deed("sales", "Lead", ("Luka", "Jurić"), "makes Luka Jurić chief engineer", "job_title",
         values={"Title": "Chief Engineer"}),
    Deed("service", "lead", ("Luka", "Jurić"), "notes his new mobile", "mobile",
         values={"mobilephone": "+385915550194"}),
    Deed("sales", "Lead", ("Petra", "Novak"), "changes the phone of Petra Novak", "phone",
         values={"Phone": "+385215550151"}),
    Deed("service", "lead", ("Petra", "Novak"), "changes it too, to another number", "phone",
         values={"telephone1": "+385215550152"}),
    Deed("service", "lead", ("Tomislav", "Marić"), "clears the title of Tomislav Marić",
         "job_title", values={"jobtitle": None}),
    Deed("sales", "Lead", ("Nikola", "Vuković"), "deletes Nikola Vuković", "", action="delete"),
    Deed("sales", "Lead", ("Maja", "Knežević"), "converts Maja Knežević", "", action="convert"),
    Deed("profiles", "person", ("Sofia", "Lindberg"), "notes that Sofia Lindberg opts out",
         "email_opt_out", values={"customAttributes": {"email_opt_out": True}}),
    Deed("sales", "Contact", ("Pierre", "Dubois"), "moves Pierre Dubois to Nantes", "address",
         values={"MailingStreet": "9 quai Sud", "MailingCity": "Nantes",
                 "MailingPostalCode": "44000"}),
    Deed("profiles", "person", ("Clara", "Hofmann"), "adds a number of Clara Hofmann", "phone",
         values={"contactInformation": {"phone": [{"number": "491515550207"},
                                                  {"number": "49305550277"}],
                                        "email": [{"address": "clara@hofmann.example"}]}}),
    Deed("profiles", "person", ("Irene", "Faber"), "corrects the name of Irene Fabre", "last_name",
         values={"lastName": "Fabre"}),
    Deed("sales", "Contact", ("Felix", "Moser"), "replaces the e-mail of Felix Moser", "email",
         values={"Email": "felix.moser@moser.example"}),
)  # fmt: skip


def finder(reading: Reading) -> Find:
    """Finds a record by first and last name in what was read."""

    def find(system: str, object_name: str, first: str, last: str) -> str:
        one, two = NAMED[system]
        for record in reading.records[system, object_name].values():
            if (record.values.get(one), record.values.get(two)) == (first, last):
                return record.id
        raise RuntimeError(f"{first} {last} is not in {system}")

    return find


def live(systems: Systems, find: Find) -> None:
    """Do everything of the day, in order."""
    for deed in DAY:
        number = find(deed.system, deed.object, *deed.who)
        act: dict[str, Any] = {"action": deed.action, "object": deed.object, "id": number}
        if deed.values is not None:
            act["values"] = dict(deed.values)
        systems.act(deed.system, [act])
