"""Verifying a receipt, offline: that one entry stands in the record, and what is disclosed of it."""

from contextlib import suppress

from panel.core.errors import Reason
from panel.record.receipt import FIRST_LINE, FORMAT, BadReceipt, Receipt
from panel.verify.bundle import Broken, BundleEntry, commitments_in, fields_in, json_of, parts_in
from panel.verify.check import Report, check_parts, check_proofs, open_checkpoint

LARGEST = 4 * 1024 * 1024
"""Bytes; a larger file is no receipt."""
FIELDS = ("format", "key", "commitments", "parts")
CHECKED = 5
"""A receipt is held to the first five checks of a bundle: file, key, parts, checkpoint, proofs."""


def is_receipt(data: bytes) -> bool:
    """Say whether a file begins as a receipt does."""
    return data.startswith(FIRST_LINE.encode())


def verify(data: bytes, key: str | None = None) -> Report:
    """Check a receipt. Without a key the one in the file is used, and the report says that it is not trusted."""
    report = Report(trusted_key=key is not None)
    with suppress(Broken):
        receipt, named, entry = report.hold("file", parse, data)
        report.receipt = entry
        verifier = report.hold_key(named, key)
        report.hold("parts", check_parts, [entry])
        stated = report.checkpoint = report.hold("checkpoint", open_checkpoint, receipt.checkpoint, verifier)
        report.hold("proofs", check_proofs, [entry], stated)
    return report.ended(CHECKED)


def parse(data: bytes) -> tuple[Receipt, str, BundleEntry]:
    """Read a receipt: the proof, the key that it names, and the entry. Raises Broken with the place."""
    if len(data) > LARGEST:
        raise Broken("", Reason("The file is larger than any receipt."))
    try:
        receipt = Receipt.parse(data.decode())
    except UnicodeDecodeError as problem:
        raise Broken("", Reason("The file is not UTF-8 at byte %(byte)s.", byte=problem.start)) from None
    except BadReceipt as bad:
        raise Broken("", Reason("The receipt cannot be read: %(problem)s.", problem=Reason(str(bad)))) from None
    told = fields_in(json_of(receipt.extra + b"\n"), "extra", FIELDS)
    if told["format"] != FORMAT or not isinstance(told["key"], str):
        raise Broken(
            "extra.format", Reason("This version reads receipts of the format %(format)s only.", format=FORMAT)
        )
    entry = BundleEntry(
        place="extra",
        index=receipt.index,
        commitments=commitments_in(told["commitments"], "extra.commitments"),
        parts=parts_in(told["parts"], "extra.parts"),
        proof=receipt.proof,
    )
    return receipt, told["key"], entry
