"""The demo's cast: people in each system's own words, and what must become of them.

``sales``, ``service``, ``profiles`` are what a person typed into each system before
crm-sync came; ``after`` is what each system must hold when the scripted day is over, worked
out by hand. None after a system's name: nobody may be there. The day itself is in
``day.py``; numbers are of no real network, addresses end in ``.example``.
"""

from dataclasses import dataclass, field
from typing import Any

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """One member of the cast."""

    name: str
    kind: str  #: lead or customer
    story: str
    sales: Fields | None = None
    service: Fields | None = None
    profiles: Fields | None = None
    #: system -> object and the fields that must stand there in the end; None: no record
    after: dict[str, tuple[str, Fields] | None] = field(default_factory=dict)


def _sales(first: str, last: str, email: str | None, **more: Any) -> Fields:
    return {"FirstName": first, "LastName": last, "Email": email, **more}


def _service(first: str, last: str, email: str | None, **more: Any) -> Fields:
    return {"firstname": first, "lastname": last, "emailaddress1": email, **more}


def _profile(first: str, last: str, emails: list[str], phones: list[str], **more: Any) -> Fields:
    return {
        "firstName": first,
        "lastName": last,
        "contactInformation": {
            "email": [{"address": address} for address in emails],
            "phone": [{"number": number} for number in phones],
        },
        **more,
    }


def _lead(after_sales: Fields, after_service: Fields, after_profiles: Fields) -> dict[str, Any]:
    return {
        "sales": ("Lead", after_sales),
        "service": ("lead", after_service),
        "profiles": ("person", {"type": "LEAD", **after_profiles}),
    }


def _customer(after_sales: Fields, after_service: Fields, after_profiles: Fields) -> dict[str, Any]:
    return {
        "sales": ("Contact", after_sales),
        "service": ("contact", after_service),
        "profiles": ("person", {"type": "CUSTOMER", **after_profiles}),
    }


LEADS = [
    Person(
        "Ana Horvat",
        "lead",
        "the same in three systems; a sales user corrects her phone",
        _sales(
            "Ana",
            "Horvat",
            "ana.horvat@plavimost.example",
            Company="Plavi most d.o.o.",
            Phone="+385 1 555 0101",
            Title="Head of Logistics",
        ),
        _service(
            "Ana",
            "Horvat",
            "Ana.Horvat@plavimost.example",
            companyname="Plavi most d.o.o.",
            telephone1="01 555 0101",
            jobtitle="Head of Logistics",
        ),
        _profile("Ana", "Horvat", ["ana.horvat@plavimost.example"], ["38515550101"]),
        _lead(
            {"Phone": "+38515550199", "Title": "Head of Logistics"},
            {"telephone1": "+38515550199", "jobtitle": "Head of Logistics"},
            {"phones": ["38515550199"], "job_title": "Head of Logistics"},
        ),
    ),
    Person(
        "Marko Kovač",
        "lead",
        "written without the accent in one system; service gives him a new title",
        _sales(
            "Marko", "Kovač", "marko.kovac@zelenizub.example", Company="Zeleni zub", Title="Buyer"
        ),
        _service(
            "Marko",
            "Kovac",
            "marko.kovac@zelenizub.example",
            companyname="Zeleni zub",
            jobtitle="Buyer",
        ),
        None,
        _lead(
            {"LastName": "Kovač", "Title": "Senior Buyer"},
            {"lastname": "Kovač", "jobtitle": "Senior Buyer"},
            {
                "lastName": "Kovač",
                "emails": ["marko.kovac@zelenizub.example"],
                "job_title": "Senior Buyer",
            },
        ),
    ),
    Person(
        "Ivana Babić",
        "lead",
        "only in Customer Profiles at first: she has no company, so sales cannot hold her",
        None,
        None,
        _profile(
            "Ivana", "Babić", ["ivana.babic@svjetionik.example"], ["385915550103"], type="LEAD"
        ),
        {
            "sales": None,
            "service": ("lead", {"lastname": "Babić", "mobilephone": "+385915550103"}),
            "profiles": ("person", {"type": "LEAD", "phones": ["385915550103"]}),
        },
    ),
    Person(
        "Luka Jurić",
        "lead",
        "two users edit different fields of him on the same day: both stay",
        _sales(
            "Luka",
            "Jurić",
            "luka.juric@tvornica.example",
            Company="Tvornica svjetla",
            MobilePhone="+385 91 555 0104",
            Title="Engineer",
        ),
        _service(
            "Luka",
            "Jurić",
            "luka.juric@tvornica.example",
            companyname="Tvornica svjetla",
            mobilephone="+385 91 555 0104",
            jobtitle="Engineer",
        ),
        _profile("Luka", "Jurić", ["luka.juric@tvornica.example"], ["385915550104"], type="LEAD"),
        _lead(
            {"Title": "Chief Engineer", "MobilePhone": "+385915550194"},
            {"jobtitle": "Chief Engineer", "mobilephone": "+385915550194"},
            {"job_title": "Chief Engineer", "phones": ["385915550194"]},
        ),
    ),
    Person(
        "Petra Novak",
        "lead",
        "two users edit the same field of her: sales is preferred, the other value is kept",
        _sales(
            "Petra",
            "Novak",
            "petra.novak@more-i-sol.example",
            Company="More i sol",
            Phone="+385 21 555 0105",
        ),
        _service(
            "Petra",
            "Novak",
            "petra.novak@more-i-sol.example",
            companyname="More i sol",
            telephone1="+385 21 555 0105",
        ),
        _profile(
            "Petra", "Novak", ["petra.novak@more-i-sol.example"], ["385215550105"], type="LEAD"
        ),
        _lead(
            {"Phone": "+385215550151"},
            {"telephone1": "+385215550151"},
            {"phones": ["385215550151"]},
        ),
    ),
    Person(
        "Tomislav Marić",
        "lead",
        "a service user clears his title",
        _sales(
            "Tomislav",
            "Marić",
            "tomislav.maric@brodica.example",
            Company="Brodica",
            Title="Skipper",
        ),
        _service(
            "Tomislav",
            "Marić",
            "tomislav.maric@brodica.example",
            companyname="Brodica",
            jobtitle="Skipper",
        ),
        _profile("Tomislav", "Marić", ["tomislav.maric@brodica.example"], [], type="LEAD"),
        _lead({"Title": None}, {"jobtitle": None}, {"job_title": None}),
    ),
    Person(
        "Nikola Vuković",
        "lead",
        "deleted in sales: he stays elsewhere, and is not created again",
        _sales("Nikola", "Vuković", "nikola.vukovic@pilana.example", Company="Pilana"),
        _service("Nikola", "Vuković", "nikola.vukovic@pilana.example", companyname="Pilana"),
        _profile("Nikola", "Vuković", ["nikola.vukovic@pilana.example"], [], type="LEAD"),
        {
            "sales": None,
            "service": ("lead", {"lastname": "Vuković"}),
            "profiles": ("person", {"type": "LEAD", "lastName": "Vuković"}),
        },
    ),
    Person(
        "Maja Knežević",
        "lead",
        "converted in sales: a customer everywhere, her lead in service is left as the past",
        _sales(
            "Maja",
            "Knežević",
            "maja.knezevic@ljekarna.example",
            Company="Ljekarna Sunce",
            MobilePhone="+385 98 555 0108",
            Title="Pharmacist",
        ),
        _service(
            "Maja",
            "Knežević",
            "maja.knezevic@ljekarna.example",
            companyname="Ljekarna Sunce",
            mobilephone="+385 98 555 0108",
        ),
        _profile(
            "Maja", "Knežević", ["maja.knezevic@ljekarna.example"], ["385985550108"], type="LEAD"
        ),
        _customer(
            {"LastName": "Knežević", "Email": "maja.knezevic@ljekarna.example"},
            {"lastname": "Knežević", "mobilephone": "+385985550108"},
            {"lastName": "Knežević", "phones": ["385985550108"]},
        ),
    ),
    Person(
        "Josip Šimić",
        "lead",
        "only in sales: created elsewhere",
        _sales(
            "Josip",
            "Šimić",
            "josip.simic@kamenolom.example",
            Company="Kamenolom",
            Phone="+385 23 555 0109",
            City="Zadar",
            Country="Croatia",
        ),
        None,
        None,
        _lead(
            {"LastName": "Šimić"},
            {
                "firstname": "Josip",
                "lastname": "Šimić",
                "companyname": "Kamenolom",
                "telephone1": "+38523555 0109".replace(" ", ""),
                "address1_city": "Zadar",
            },
            {"firstName": "Josip", "emails": ["josip.simic@kamenolom.example"], "city": "Zadar"},
        ),
    ),
    Person(
        "Lucija Pavlović",
        "lead",
        "only in service: created elsewhere",
        None,
        _service(
            "Lucija",
            "Pavlović",
            "lucija.pavlovic@cvjecarna.example",
            companyname="Cvjećarna",
            telephone1="+385 31 555 0110",
        ),
        None,
        _lead(
            {
                "FirstName": "Lucija",
                "LastName": "Pavlović",
                "Company": "Cvjećarna",
                "Phone": "+385315550110",
            },
            {"lastname": "Pavlović"},
            {"firstName": "Lucija", "emails": ["lucija.pavlovic@cvjecarna.example"]},
        ),
    ),
    Person(
        "Ivan Grgić",
        "lead",
        "without e-mail; the same mobile and surname link him",
        _sales(
            "Ivan", "Grgić", None, Company="Vodovod", MobilePhone="+385 95 555 0111", Title="Fitter"
        ),
        _service("Ivan", "Grgić", None, companyname="Vodovod", mobilephone="095 555 0111"),
        None,
        _lead(
            {"Title": "Fitter"},
            {"jobtitle": "Fitter"},
            {"lastName": "Grgić", "phones": ["385955550111"]},
        ),
    ),
    Person(
        "Stjepan Filipović",
        "lead",
        "shares a mailbox with his wife; each stays who they are",
        _sales(
            "Stjepan",
            "Filipović",
            "obitelj@filipovic.example",
            Company="OPG Filipović",
            MobilePhone="+385 99 555 0112",
        ),
        _service(
            "Stjepan",
            "Filipović",
            "obitelj@filipovic.example",
            companyname="OPG Filipović",
            mobilephone="+385 99 555 0112",
        ),
        _profile(
            "Stjepan", "Filipović", ["obitelj@filipovic.example"], ["385995550112"], type="LEAD"
        ),
        _lead(
            {"FirstName": "Stjepan"},
            {"firstname": "Stjepan"},
            {"firstName": "Stjepan", "emails": ["obitelj@filipovic.example"]},
        ),
    ),
    Person(
        "Marija Filipović",
        "lead",
        "his wife: Customer Profiles gives the address to one owner, she has her phone there",
        _sales(
            "Marija",
            "Filipović",
            "obitelj@filipovic.example",
            Company="OPG Filipović",
            MobilePhone="+385 99 555 0113",
        ),
        _service(
            "Marija",
            "Filipović",
            "obitelj@filipovic.example",
            companyname="OPG Filipović",
            mobilephone="+385 99 555 0113",
        ),
        _profile("Marija", "Filipović", [], ["385995550113"], type="LEAD"),
        {
            "sales": ("Lead", {"FirstName": "Marija", "Email": "obitelj@filipovic.example"}),
            "service": (
                "lead",
                {"firstname": "Marija", "emailaddress1": "obitelj@filipovic.example"},
            ),
            "profiles": (
                "person",
                {"firstName": "Marija", "emails": [], "phones": ["385995550113"]},
            ),
        },
    ),
    Person(
        "Robert Miller",
        "lead",
        "Bob in one system, Robert in the other",
        _sales(
            "Robert", "Miller", "r.miller@harbour.example", Company="Harbour Ltd", Title="Agent"
        ),
        _service("Bob", "Miller", "r.miller@harbour.example", companyname="Harbour Ltd"),
        _profile("Robert", "Miller", ["r.miller@harbour.example"], [], type="LEAD"),
        _lead(
            {"FirstName": "Robert"},
            {"firstname": "Robert", "jobtitle": "Agent"},
            {"firstName": "Robert", "job_title": "Agent"},
        ),
    ),
    Person(
        "Jürgen Groß",
        "lead",
        "Groß and Gross, Jürgen and Juergen",
        _sales(
            "Jürgen",
            "Groß",
            "j.gross@drehwerk.example",
            Company="Drehwerk GmbH",
            Phone="+49 30 555 0115",
        ),
        _service(
            "Juergen",
            "Gross",
            "j.gross@drehwerk.example",
            companyname="Drehwerk GmbH",
            telephone1="+49 30 555 0115",
        ),
        None,
        _lead(
            {"FirstName": "Jürgen", "LastName": "Groß"},
            {"firstname": "Jürgen", "lastname": "Groß"},
            {"firstName": "Jürgen", "lastName": "Groß", "emails": ["j.gross@drehwerk.example"]},
        ),
    ),
    Person(
        "Elena Rossi",
        "lead",
        "opted out of e-mail in service before the first sync: the stricter wins",
        _sales(
            "Elena",
            "Rossi",
            "elena.rossi@vetro.example",
            Company="Vetro SpA",
            HasOptedOutOfEmail=False,
        ),
        _service(
            "Elena", "Rossi", "elena.rossi@vetro.example", companyname="Vetro SpA", donotemail=True
        ),
        _profile("Elena", "Rossi", ["elena.rossi@vetro.example"], [], type="LEAD"),
        _lead(
            {"HasOptedOutOfEmail": True},
            {"donotemail": True},
            {"email_opt_out": True},
        ),
    ),
    Person(
        "Karl Weber",
        "lead",
        "disqualified in service long ago: the past is not created elsewhere",
        None,
        _service(
            "Karl",
            "Weber",
            "karl.weber@altbau.example",
            companyname="Altbau KG",
            statecode=2,
            statuscode=4,
        ),
        None,
        {"sales": None, "service": ("lead", {"lastname": "Weber"}), "profiles": None},
    ),
    Person(
        "Vera Perić",
        "lead",
        "an info@ address belongs to no person: it links nobody",
        _sales("Vera", "Perić", "info@trgovina.example", Company="Trgovina"),
        None,
        None,
        {"sales": ("Lead", {"LastName": "Perić", "Email": "info@trgovina.example"})},
    ),
]

CUSTOMERS = [
    Person(
        "Sofia Lindberg",
        "customer",
        "a customer in three systems; she opts out in Customer Profiles during the day",
        _sales("Sofia", "Lindberg", "sofia@lindberg.example", Phone="+46 8 555 0201"),
        _service("Sofia", "Lindberg", "sofia@lindberg.example", telephone1="+46 8 555 0201"),
        _profile("Sofia", "Lindberg", ["sofia@lindberg.example"], ["4685550201"], type="CUSTOMER"),
        _customer(
            {"HasOptedOutOfEmail": True},
            {"donotemail": True},
            {"email_opt_out": True},
        ),
    ),
    Person(
        "Pierre Dubois",
        "customer",
        "moves house: the whole address travels as one value",
        _sales(
            "Pierre",
            "Dubois",
            "pierre@dubois.example",
            MailingStreet="1 rue du Port",
            MailingCity="Brest",
            MailingPostalCode="29200",
            MailingCountry="France",
        ),
        _service(
            "Pierre",
            "Dubois",
            "pierre@dubois.example",
            address1_line1="1 rue du Port",
            address1_city="Brest",
            address1_postalcode="29200",
            address1_country="France",
        ),
        _profile(
            "Pierre",
            "Dubois",
            ["pierre@dubois.example"],
            [],
            type="CUSTOMER",
            address="1 rue du Port",
            city="Brest",
            country="France",
        ),
        _customer(
            {
                "MailingStreet": "9 quai Sud",
                "MailingCity": "Nantes",
                "MailingPostalCode": "44000",
                "MailingCountry": "France",
            },
            {
                "address1_line1": "9 quai Sud",
                "address1_city": "Nantes",
                "address1_postalcode": "44000",
                "address1_country": "France",
            },
            {"address": "9 quai Sud", "city": "Nantes", "country": "France"},
        ),
    ),
    Person(
        "Greta Olsen",
        "customer",
        "her birth date is the same day in every system",
        _sales("Greta", "Olsen", "greta@olsen.example", Birthdate="1984-02-29"),
        _service("Greta", "Olsen", "greta@olsen.example"),
        None,
        _customer(
            {"Birthdate": "1984-02-29"},
            {"birthdate": "1984-02-29"},
            {"birthDate": "1984-02-29", "emails": ["greta@olsen.example"]},
        ),
    ),
    Person(
        "Hugo Martens",
        "customer",
        "only in service; phone and mobile are told apart in the CRMs, not in Customer Profiles",
        None,
        _service(
            "Hugo",
            "Martens",
            "hugo@martens.example",
            telephone1="+32 2 555 0204",
            mobilephone="+32 470 55 02 04",
            jobtitle="Notary",
        ),
        None,
        _customer(
            {
                "FirstName": "Hugo",
                "Phone": "+3225550204",
                "MobilePhone": "+32470550204",
                "Title": "Notary",
            },
            {"lastname": "Martens"},
            {"firstName": "Hugo", "phones": ["3225550204", "32470550204"]},
        ),
    ),
    Person(
        "Nora Keane",
        "customer",
        "only in sales: created elsewhere",
        _sales(
            "Nora", "Keane", "nora@keane.example", Title="Architect", MobilePhone="+353 87 555 0205"
        ),
        None,
        None,
        _customer(
            {"LastName": "Keane"},
            {
                "firstname": "Nora",
                "lastname": "Keane",
                "jobtitle": "Architect",
                "mobilephone": "+353875550205",
            },
            {"firstName": "Nora", "phones": ["353875550205"], "job_title": "Architect"},
        ),
    ),
    Person(
        "Daniel Brandt",
        "customer",
        "only in Customer Profiles: created in both CRMs",
        None,
        None,
        _profile(
            "Daniel",
            "Brandt",
            ["daniel@brandt.example"],
            ["4940555 0206".replace(" ", "")],
            type="CUSTOMER",
        ),
        _customer(
            {"FirstName": "Daniel", "LastName": "Brandt", "Email": "daniel@brandt.example"},
            {"firstname": "Daniel", "emailaddress1": "daniel@brandt.example"},
            {"firstName": "Daniel"},
        ),
    ),
    Person(
        "Clara Hofmann",
        "customer",
        "an unlabelled number is added to her profile and finds a free place in the CRMs",
        _sales("Clara", "Hofmann", "clara@hofmann.example", MobilePhone="+49 151 555 0207"),
        _service("Clara", "Hofmann", "clara@hofmann.example", mobilephone="+49 151 555 0207"),
        _profile("Clara", "Hofmann", ["clara@hofmann.example"], ["491515550207"], type="CUSTOMER"),
        _customer(
            {"MobilePhone": "+49 151 555 0207", "Phone": "+49305550277"},
            {"mobilephone": "+49 151 555 0207", "telephone1": "+49305550277"},
            {"phones": ["491515550207", "49305550277"]},
        ),
    ),
    Person(
        "Anton Berg",
        "customer",
        "inactive in service: linked, kept equal, never the cause of a create",
        None,
        _service("Anton", "Berg", "anton@berg.example", statecode=1, statuscode=2),
        None,
        {"sales": None, "service": ("contact", {"lastname": "Berg"}), "profiles": None},
    ),
    Person(
        "Teresa Blanco",
        "customer",
        "her description keeps its lines",
        _sales(
            "Teresa",
            "Blanco",
            "teresa@blanco.example",
            Description="Prefers mornings.\nSpeaks Spanish.",
        ),
        _service("Teresa", "Blanco", "teresa@blanco.example"),
        None,
        _customer(
            {"Description": "Prefers mornings.\nSpeaks Spanish."},
            {"description": "Prefers mornings.\nSpeaks Spanish."},
            {"lastName": "Blanco"},
        ),
    ),
    Person(
        "Oskar Lund",
        "customer",
        "an empty field is filled from whoever has a value, and nothing is cleared",
        _sales("Oskar", "Lund", "oskar@lund.example", Title=None, Phone="+45 33 55 02 10"),
        _service("Oskar", "Lund", "oskar@lund.example", jobtitle="Baker"),
        _profile("Oskar", "Lund", ["oskar@lund.example"], [], type="CUSTOMER"),
        _customer(
            {"Title": "Baker", "Phone": "+45 33 55 02 10"},
            {"jobtitle": "Baker", "telephone1": "+4533550210"},
            {"phones": ["4533550210"], "job_title": "Baker"},
        ),
    ),
    Person(
        "Irene Fabre",
        "customer",
        "corrected in Customer Profiles: her surname travels to the CRMs",
        _sales("Irene", "Faber", "irene@fabre.example"),
        _service("Irene", "Faber", "irene@fabre.example"),
        _profile("Irene", "Faber", ["irene@fabre.example"], [], type="CUSTOMER"),
        _customer({"LastName": "Fabre"}, {"lastname": "Fabre"}, {"lastName": "Fabre"}),
    ),
    Person(
        "Felix Moser",
        "customer",
        "his e-mail is replaced in sales",
        _sales("Felix", "Moser", "felix@moser.example"),
        _service("Felix", "Moser", "felix@moser.example"),
        _profile("Felix", "Moser", ["felix@moser.example"], [], type="CUSTOMER"),
        _customer(
            {"Email": "felix.moser@moser.example"},
            {"emailaddress1": "felix.moser@moser.example"},
            {"emails": ["felix.moser@moser.example"]},
        ),
    ),
    Person(
        "Lea Brunner",
        "customer",
        "two records of one person in sales: asked, never guessed",
        _sales("Lea", "Brunner", "lea@brunner.example"),
        _service("Lea", "Brunner", "lea@brunner.example"),
        None,
        {
            "sales": ("Contact", {"LastName": "Brunner"}),
            "service": ("contact", {"lastname": "Brunner"}),
            "profiles": None,
        },
    ),
]
