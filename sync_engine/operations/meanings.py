"""What each sort of issue means and what a person can do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Meaning:
    says: str
    remedy: str
    verdicts: tuple[str, ...] = ()  #: what ``issues resolve`` takes for it


_KNOWN = Meaning("", "crm-sync issues resolve ID --seen once you have read it", ("seen",))

MEANINGS: dict[str, Meaning] = {
    "identity": Meaning(
        "records that may be one person: same or different?",
        "crm-sync issues show ID, then issues resolve ID --same, --different or --later; "
        "duplicates inside one system are best merged there",
        ("same", "different", "later"),
    ),
    "possible duplicate": Meaning(
        "not created, since somebody there looks like them",
        "crm-sync issues show ID, then issues resolve ID --same (link) or --different (create)",
        ("same", "different", "later"),
    ),
    "converted before": Meaning(
        "not created: the lead of this person was converted there already",
        "nothing, if the old lead was meant; issues resolve ID --different creates a new one",
        ("different", "later"),
    ),
    "address held by a lead": Meaning(
        "not created, since a lead's record there has the address, which has one owner",
        "make that record a customer there, or give the two different addresses",
    ),
    "required value missing": Meaning(
        "not created, since a required value is missing",
        "fill in the field in any of the systems; it is created with the next cycle",
    ),
    "create not offered": Meaning(
        "not created: we may create nothing there, or the field for our key is missing",
        "crm-sync check says what is missing; once it is there, it is created by itself",
    ),
    "rejected": Meaning(
        "refused by the system, or not offered by it",
        "correct the value, or the rule there, then crm-sync issues retry ID",
    ),
    "does not fit": Meaning(
        "a value that the field there does not take (too long, a forbidden character, a choice "
        "that is not offered, another format); it was not sent, the rest of the record was",
        "change the value or the field there, or choose a repair for it in the configuration; then "
        "issues retry ID",
    ),
    "repaired": Meaning(
        "values that were made to fit there, as the configuration chose (repair); they are left "
        "so, and never flow back",
        _KNOWN.remedy,
        ("seen",),
    ),
    "flipping": Meaning(
        "written six times within ten runs, and changed again each time; held as it is there",
        "see which automation rewrites it with crm-sync explain, stop it, then issues retry ID",
    ),
    "cannot be cleared": Meaning(
        "a system keeps a value that was to be cleared; it is left so until the field gets another",
        "clear it there by hand, or " + _KNOWN.remedy,
        ("seen",),
    ),
    "not stored": Meaning(
        "a system accepted our value and kept the one it had; it is left so, and never flows back, "
        "until the field gets another",
        "give our user the right to edit the field there (field-level security, a column's "
        "profile), or stop the automation that puts it back; then issues retry ID. Where it is "
        "meant to be read-only, map it with direction: from",
    ),
    "truncated": Meaning(
        "a system keeps only the beginning of our value; it is left so, and never flows back",
        "make the field longer there, or choose repair: truncate for it; " + _KNOWN.remedy,
        ("seen",),
    ),
    "rewritten": Meaning(
        "a system made another value of ours while it stored it; that counts as an edit and went "
        "to the others",
        "look which automation does that, and whether it is meant; " + _KNOWN.remedy,
        ("seen",),
    ),
    "delete waits for approval": Meaning(
        "a record was deleted, and those of the same person elsewhere would end too; they stay "
        "until somebody says so",
        "issues resolve ID --approve or --refuse; it ends by itself where the record comes back, "
        "or one of the others is edited",
        ("approve", "refuse"),
    ),
    "stored differently": Meaning(
        "a system keeps our value in another form; it is left so", _KNOWN.remedy, ("seen",)
    ),
    "value without a place": Meaning(
        "a profile holds more numbers or addresses than the other systems have fields for; "
        "they stay there and travel nowhere",
        "map a further field to the set, or " + _KNOWN.remedy,
        ("seen",),
    ),
    "surplus record": Meaning(
        "a second record of one person in one system; it is neither read nor written",
        "merge the two there; or crm-sync unlink it, and it is a person of its own",
        ("seen",),
    ),
    "lead left as past": Meaning(
        "a lead of somebody who is a customer now; left as it is", _KNOWN.remedy, ("seen",)
    ),
    "type changed": Meaning(
        "a profile turned customer by itself; nothing is converted or created elsewhere",
        "if it is meant: crm-sync issues resolve ID --convert, or convert the lead in the CRM, or "
        "always (conversion_from); else " + _KNOWN.remedy,
        ("convert", "seen"),
    ),
    "customer became lead": Meaning(
        "a customer was turned back into a lead; held: neither read nor written",
        "turn it back there; then it goes on by itself",
        ("seen",),
    ),
    "conversion without customer side": Meaning(
        "converted, but no sync keeps the customers there",
        "add a sync of kind customer, or " + _KNOWN.remedy,
        ("seen",),
    ),
    "unknown choice": Meaning(
        "a choice that the value map of that side does not know; it is neither taken nor written "
        "there, the rest of the record is",
        "add it to values of that field in the configuration (the records are read anew by "
        "themselves), or issues resolve ID --seen",
        ("seen",),
    ),
    "unreadable value": Meaning(
        "something that is no value of its field: a date that no calendar has, a number with "
        "words, text of over a million characters; it is neither taken nor written anywhere, the "
        "rest of the record is",
        "mend it there; a field that always looks like that is better left unmapped, or --seen",
        ("seen",),
    ),
    "put back": Meaning(
        "an edit on a side that does not own the field (direction: to); the value of the others "
        "was written over it, and what was there stands in crm-sync history",
        "make the edit where the field is owned, map it with direction: both, or " + _KNOWN.remedy,
        ("seen",),
    ),
    "field paused": Meaning(
        "a mapped field cannot be read there any more; the record goes on without it",
        "give our user the right to read it, restore the field, or unmap it; it goes on by itself",
    ),
    "state restored": Meaning(
        "this state is older than the systems: it was restored, or is not the one that wrote; "
        "all is listed anew, keys relink, and nothing is written until it is released",
        "read the report (crm-sync plan NAME) and run crm-sync release NAME for each sync; put the "
        "newest state back instead if there is one; then issues resolve ID --seen",
        ("seen",),
    ),
    "guard": Meaning(
        "an improbable number of changes, or of records that a listing lacks; waits for release",
        "look at it with crm-sync plan NAME, check what the integration's user may see; "
        "if it is meant, crm-sync release NAME",
    ),
    "conflict": Meaning(
        "two edits differ; the policy asks a person",
        "crm-sync issues show ID, then issues resolve ID --take INSTANCE",
        ("take",),
    ),
    "parked": Meaning(
        "given up after eight tries, until its values change",
        "see the reason with crm-sync issues show ID, then issues retry ID",
    ),
    "deleted here, edited there": Meaning(
        "deleted on one side, edited on another; kept", _KNOWN.remedy, ("seen",)
    ),
}


#: what sort of refusal -> what it is, and what to do; a retry takes ``issues retry ID``
REFUSALS: Mapping[str, tuple[str, str]] = {
    "duplicate": (
        "refused as a duplicate: another record there has the value, or a duplicate rule says so",
        "merge the two there, or tell them apart, then crm-sync issues retry ID",
    ),
    "validation rule": (
        "refused by a validation rule, or an automation, of the organization",
        "correct the value, or let the rule spare our user, then crm-sync issues retry ID",
    ),
    "required": (
        "refused, since a value is missing that is required there",
        "fill it in, in any of the systems; then it goes by itself",
    ),
    "too long": (
        "refused, since the value is longer than the field takes",
        "shorten the value, or lengthen the field there and crm-sync issues retry ID",
    ),
    "permission": (
        "refused, since our user may not write this record or field",
        "give our user the right, or map the field to be read only (direction: from), then "
        "crm-sync issues retry ID",
    ),
    "locked": (
        "refused, since the record is locked, by an approval or the like",
        "have it approved or unlocked there, then crm-sync issues retry ID",
    ),
    "converted": (
        "refused, since the lead was converted",
        "nothing: what became of it is read by itself; if it is not, crm-sync resync NAME --full",
    ),
    "unknown choice": (
        "refused, since the picklist there has no such value",
        "add it there, or map it under values, then crm-sync issues retry ID",
    ),
    "reference": (
        "refused, since what the record refers to is not there, or not for our user",
        "see that the company exists there and our user may see it, then crm-sync issues retry ID",
    ),
    "form": (
        "refused, since it is no value of that field",
        "correct the value in any of the systems; then it goes by itself",
    ),
}


def refused(detail: Mapping[str, Any]) -> Meaning:
    """What a refusal of that sort means; of one that nobody has sorted, as of all."""
    general = MEANINGS["rejected"]
    says, remedy = REFUSALS.get(str(detail.get("sort")), (general.says, general.remedy))
    met = ", ".join(detail.get("found", ()))
    return Meaning(f"{says} (met {met})" if met else says, remedy)


#: class that the guard has stopped -> what was seen, and what to do
STOPS: Mapping[str, tuple[str, str]] = {
    "delete": (
        "would be deleted or deactivated, since others of these people were",
        "look where they were deleted; restored there, they leave this by themselves",
    ),
    "create": (
        "would be created",
        "look where so many are new: an import that was not meant is best deleted there, and "
        "then nothing is created",
    ),
    "clear": (
        "would lose their value of a field",
        "look which side emptied it, and whether our user may still read it there; where the "
        "values are back this ends by itself",
    ),
    "same": (
        "would all be given one and the same value of a field",
        "look which side set it; where it is put back there this ends by itself",
    ),
    "owner": (
        "would get another owner",
        "look which side has given them away; where that is undone this ends by itself",
    ),
    "convert": (
        "would be converted",
        "look where the leads were converted; a conversion cannot be taken back",
    ),
    "missing": (
        "are not shown any more; they are not taken for deleted",
        "check what our user may see there; a listing that shows them ends this, at the latest "
        "the one of tomorrow, at once crm-sync resync NAME --full",
    ),
    "remapped": (
        "mean another value of a field under the new mapping; under it nothing was read or written",
        "put the mapping back, and it goes on as before",
    ),
}


def stopped(detail: Mapping[str, Any], side: str) -> Meaning:
    """What the guard saw on a side, with its numbers."""
    risk, _, field = str(detail["risk"]).partition(":")
    seen, what_to_do = STOPS[risk]
    number = f"{detail['planned']} of {detail['of']} records of {side}"
    usual = f"; more than {detail['allowed']} are improbable" if "allowed" in detail else ""
    name = f": {field}" if field else ""
    release = f"crm-sync release {detail['sync']}"
    return Meaning(f"{number} {seen}{name}{usual}", f"{what_to_do}; if it is meant, {release}")


def meaning(what: str) -> Meaning:
    return MEANINGS[what]
