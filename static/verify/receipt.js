// The shape of a receipt: one entry with its proof, C2SP tlog-proof, with the entry's parts in the extra line.
"use strict";
((heyi) => {
  const { BadValue, Broken, Entry, HASH_SIZE, bytesOf, commitmentsIn, decode64, decoded, fieldsIn, joined, jsonOf, label, partsIn, reason } = heyi;
  const RECEIPT_LINE = "c2sp.org/tlog-proof@v1";
  const FORMAT = "heyi-receipt/v1";
  const LARGEST_RECEIPT = 4 * 1024 * 1024;
  const LONGEST_PROOF = 63;
  const EXTRA = "extra ";
  const INDEX = /^index (0|[1-9][0-9]{0,17})$/;

  const tooLargeReceipt = () => new Broken("", reason("The file is larger than any receipt."));

  const headOf = (text) => {
    const split = text.indexOf("\n\n");
    const [first, ...lines] = (split < 0 ? text : text.slice(0, split)).split("\n");
    if (first !== RECEIPT_LINE || split < 0) throw new BadValue(label("not a receipt"));
    const extra = lines.length && lines[0].startsWith(EXTRA) ? decode64(lines.shift().slice(EXTRA.length)) : new Uint8Array();
    const index = lines.length ? INDEX.exec(lines.shift()) : null;
    if (!index) throw new BadValue(label("no index"));
    const proof = lines.map(decode64);
    if (proof.length > LONGEST_PROOF || proof.some((node) => node.length !== HASH_SIZE)) throw new BadValue(label("the proof has a wrong length"));
    return { index: BigInt(index[1]), proof, extra, checkpoint: text.slice(split + 2) };
  };

  const readHead = (text) => {
    try {
      return headOf(text);
    } catch (problem) {
      if (!(problem instanceof BadValue)) throw problem;
      throw new Broken("", reason("The receipt cannot be read: %(problem)s.", { problem: reason(problem.message) }));
    }
  };

  const parseReceipt = async (data, breathe) => {
    const { index, proof, extra, checkpoint } = readHead(decoded(data));
    const told = fieldsIn((await jsonOf(joined(extra, bytesOf("\n")), breathe)).value, "extra", ["format", "key", "commitments", "parts"]);
    if (told.format !== FORMAT || typeof told.key !== "string") {
      throw new Broken("extra.format", reason("This version reads receipts of the format %(format)s only.", { format: FORMAT }));
    }
    const commitments = commitmentsIn(told.commitments, "extra.commitments");
    const entry = new Entry("extra", index, commitments, partsIn(told.parts, "extra.parts"), proof);
    return { checkpoint, named: told.key, entry };
  };

  Object.assign(heyi, { LARGEST_RECEIPT, RECEIPT_LINE, parseReceipt, tooLargeReceipt });
})((globalThis.heyi ??= {}));
