"""Who may label what: the queue's decisions, on plain values and apart from any storage."""

from collections.abc import Sequence

from icefloe.active.items import Item, Label, LeaseRecord, OutsideLabel, timestamp
from icefloe.errors import ConflictError, IcefloeError


class StaleItemError(ConflictError):
    """Somebody has changed an item since it was read; `current` is the item as it is now."""

    def __init__(self, current: Item) -> None:
        super().__init__(
            f"{current.key}: somebody has changed it since, it is {current.state} now. Look again."
        )
        self.current = current


def check_lease_duration(seconds: float) -> None:
    """Refuse a lease of no time, or of no end.

    Parameters
    ----------
    seconds
        How long the lease is to run, in s.

    Raises
    ------
    IcefloeError
        If it is not a positive, finite number.
    """
    # The comparison is false for NaN, too.
    if not 0 < seconds < float("inf"):
        raise IcefloeError(f"a lease of {seconds} s can't be. Give a positive number of seconds.")


def check_skip_reason(reason: str) -> None:
    """Refuse to take an image out of the queue without a reason.

    Raises
    ------
    IcefloeError
        If `reason` is blank.
    """
    if not reason.strip():
        raise IcefloeError("Skipping an image needs a reason. Say why it can't be labelled.")


def check_lease_holds(item: Item, token: str, last: LeaseRecord) -> None:
    """Refuse what only the one who has the image to label may do: renew the lease, skip the image.

    An expired lease still holds while nobody else has leased the image since.

    Parameters
    ----------
    item
        Queue item of the image, as it is now.
    token
        Token of the lease that somebody shows.
    last
        The newest lease of that item, running or ended.

    Raises
    ------
    ConflictError
        If the image was labelled or skipped, or leased to somebody else since.
    """
    if item.state != "waiting":
        raise ConflictError(f"{item.key}: the image is {item.state}. Lease another one.")
    if last.token != token:
        raise ConflictError(f"{item.key}: {_leased_since(last)}. Lease another one.")


def check_revision(item: Item, revision: int | None) -> None:
    """Refuse a change that is based on another state of the item than the present one; None: on any.

    Raises
    ------
    StaleItemError
        If somebody has changed it since.
    """
    if revision not in (None, item.revision):
        raise StaleItemError(item)


def check_reopening(item: Item, open_elsewhere: bool) -> None:
    """Refuse to put an image back in the queue that is in it, or whose label is in the data.

    Parameters
    ----------
    item
        The skipped or labelled item to put back.
    open_elsewhere
        Whether another round has the same image waiting, or labelled but not in the data yet.

    Raises
    ------
    ConflictError
        If the item is waiting or imported, or the image is open in another round.
    """
    if item.state not in ("skipped", "submitted"):
        raise ConflictError(
            f"{item.key}: is {item.state} and can't be reopened. Queue it anew in a later round."
        )
    if open_elsewhere:
        raise ConflictError(f"{item.key}: is open in another round. Label it there.")


def check_settling(item: Item, labeler: str) -> None:
    """Refuse to end the wait for another person where there is no such label, or somebody is at it.

    Parameters
    ----------
    item
        An item that several people label, as it is now.
    labeler
        Whose label it is to have.

    Raises
    ------
    ConflictError
        If the item does not wait, somebody is labelling it, or `labeler` has not.
    """
    if item.state != "waiting":
        raise ConflictError(f"{item.key}: is {item.state}, so nothing is to be settled. Look again.")
    if item.leased_to is not None and item.lease_expires is not None:
        until = timestamp(item.lease_expires)
        raise ConflictError(f"{item.key}: {item.leased_to} is labelling it until {until}. Wait for that.")
    if labeler not in item.labelers:
        by_whom = " and ".join(item.labelers) or "nobody"
        raise ConflictError(f"{item.key}: {labeler} has not labelled it, {by_whom} did. Name one who did.")


def same_submission(item: Item, sent_before: Sequence[Label]) -> Label | None:
    """The label that was sent before, if sending it again changes nothing.

    Parameters
    ----------
    item
        Queue item that the label is for, as it is now.
    sent_before
        Labels with the same token and the same mask, oldest first.

    Returns
    -------
    Label or None
        The one accepted for the item, or as one of two people's; else the last that was refused; else None,
        also where the accepted one was reopened since, so that the same mask may be handed in anew.
    """
    held = (item.label_id, item.first_label, item.second_label)
    accepted = [label for label in sent_before if label.id in held]
    refused = [label for label in sent_before if label.refusal is not None]
    known = accepted or refused
    return known[-1] if known else None


def refusal(
    item: Item,
    label: OutsideLabel,
    last: LeaseRecord | None,
    was_leased: bool,
    accepted: Label | None,
    is_decision: bool = False,
) -> str | None:
    """Why a label that fits its image comes too late, or None if it is accepted.

    Parameters
    ----------
    item
        Queue item that the label is for, as it is now.
    label
        The label that was handed in.
    last
        The newest lease of the item; None if it never was leased.
    was_leased
        Whether the label's token is that of a lease, which labels made in other tools do not have.
    accepted
        The label that the item has already, if any.
    is_decision
        Whether each of its pixels is as one of two people has it, whose labels the item has.
    """
    if item.state != "waiting":
        by_whom = "" if accepted is None else f", labelled by {accepted.labeler}"
        return f"the image has been {item.state} already{by_whom}"
    if label.labeler in item.labelers:
        return f"{label.labeler} has labelled it, and it wants another person's eyes"
    late = _taken_since(label, last, was_leased)
    if late is None and item.task == "decide" and not is_decision:
        return "two people have labelled it, and in places this mask is neither's: decide between theirs"
    return late


def _taken_since(label: OutsideLabel, last: LeaseRecord | None, was_leased: bool) -> str | None:
    if last is None or last.token == label.token:
        return None
    if was_leased:
        return _leased_since(last)
    if last.ended is None and last.labeler != label.labeler:
        return f"{last.labeler} is labelling the image until {timestamp(last.expires)}"
    return None


def _leased_since(last: LeaseRecord) -> str:
    return f"the lease had expired and {last.labeler} has leased the image since"
