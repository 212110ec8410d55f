"""What Infobip's documents leave open: each has both answers, chosen by the control face."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Switches:
    null_clears: bool = True  #: PATCH with null empties a field, else it is ignored
    type_changes: bool = True  #: PATCH may change the type of a person
    names_checked: bool = True  #: characters that the portal forbids in names are refused here too
    enveloped: bool = False  #: refusals come as requestError, else as errorCode and errorMessage
