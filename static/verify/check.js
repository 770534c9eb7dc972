// The checks of a bundle and of a receipt, in their order; each stops at the first that does not hold.
"use strict";
((heyi) => {
  const { BadNote, Broken, ERASED, LARGEST, Unable, breather, bytesOf, commit, encode64, leafData, leafHash, openNote, parse } = heyi;
  const { parseCheckpoint, parseKey, parseReceipt, plain, reason, tooLarge, verdicts, verifyInclusion } = heyi;
  const NAMES = ["file", "key", "parts", "checkpoint", "proofs", "sequence", "length", "digest", "holes", "draws", "motions", "finding"];
  const OF_A_RECEIPT = 5;
  const [HOLDS, FAILS, NOT_REACHED, NOT_TRUSTED, UNABLE] = ["holds", "fails", "not reached", "not trusted", "unable"];
  const ERASURE = "record.body_erased";

  // Everything that was checked; `told` is called at every change.
  class Report {
    constructor(told, names) {
      Object.assign(this, { told, names, outcomes: [], verdicts: [], draws: [], bundle: null, receipt: null, checkpoint: null, key: null, raw: null });
    }

    async hold(name, call) {
      this.told(this, name, 0);
      try {
        const result = await call(breather((done) => this.told(this, name, done)));
        this.outcomes.push({ name, state: HOLDS, place: "", reason: null });
        return result;
      } catch (problem) {
        if (problem instanceof Broken) this.outcomes.push({ name, state: FAILS, place: problem.place, reason: problem.reason });
        if (problem instanceof Unable) this.outcomes.push({ name, state: UNABLE, place: "", reason: null });
        throw problem;
      }
    }

    async holdKey(named, given) {
      this.key = await this.hold("key", () => chosenKey(named, given));
      if (given === null) this.outcomes[1] = { name: "key", state: NOT_TRUSTED, place: "key", reason: NOT_FROM_ELSEWHERE };
    }

    async holdEntries(entries, note) {
      await this.hold("parts", (breathe) => checkParts(entries, breathe));
      this.checkpoint = await this.hold("checkpoint", () => openCheckpoint(note, this.key));
      await this.hold("proofs", (breathe) => checkProofs(entries, this.checkpoint, breathe));
    }

    end() {
      const rest = this.names.slice(this.outcomes.length);
      this.outcomes.push(...rest.map((name) => ({ name, state: NOT_REACHED, place: "", reason: null })));
      this.told(this, null, 1);
      return this;
    }

    get failure() {
      return this.outcomes.find((outcome) => outcome.state === FAILS) || null;
    }

    get unable() {
      return this.outcomes.some((outcome) => outcome.state === UNABLE);
    }
  }

  const NOT_FROM_ELSEWHERE = reason("The key came from the file itself and is not trusted: compare it with the one that is published.");

  const chosenKey = async (named, given) => {
    let found;
    try {
      found = await parseKey(named);
    } catch (problem) {
      throw problem instanceof BadNote ? new Broken("key", reason("The key in the file is damaged.")) : problem;
    }
    if (given !== null && given !== found.text) throw new Broken("key", reason("The file was signed under another key than the one you gave."));
    return found;
  };

  const checkParts = async (entries, breathe) => {
    for (const [at, entry] of entries.entries()) {
      for (const [name, part] of Object.entries(entry.parts)) {
        if (typeof part === "string" || heyi.same(await commit(name, part.salt, part.value), entry.commitments[name])) continue;
        const why = reason("What entry %(index)s discloses is not what it committed to.", { index: entry.index });
        throw new Broken(`${entry.place}.parts.${name}`, why);
      }
      await breathe(at / entries.length);
    }
  };

  const openCheckpoint = async (note, key) => {
    let stated;
    try {
      stated = parseCheckpoint(await openNote(note, key));
    } catch (problem) {
      if (!(problem instanceof BadNote)) throw problem;
      throw new Broken("checkpoint", reason("The checkpoint does not hold: %(problem)s.", { problem: reason(problem.message) }));
    }
    if (stated.origin !== key.name) throw new Broken("checkpoint", reason("The checkpoint belongs to another log."));
    return stated;
  };

  const checkProofs = async (entries, stated, breathe) => {
    for (const [at, entry] of entries.entries()) {
      const leaf = await leafHash(leafData(entry.commitments));
      if (!(await verifyInclusion(leaf, BigInt(entry.index), stated.size, entry.proof, stated.root))) {
        throw new Broken(entry.place, reason("Entry %(index)s is not in the record of the checkpoint.", { index: entry.index }));
      }
      await breathe(at / entries.length);
    }
  };

  const checkSequence = ({ case: token, entries }) => {
    if (entries.length && entries[0].header.case !== token) throw new Broken("case", reason("The entries belong to another case."));
    let before = -1;
    for (const [at, { header, index, place }] of entries.entries()) {
      if (header.case !== token) throw new Broken(place, reason("Entry %(index)s belongs to another case.", { index }));
      if (header.seq !== at + 1) {
        throw new Broken(place, reason("The case's event %(expected)s is missing before entry %(index)s, which is its event %(seq)s.",
          { expected: at + 1, index, seq: header.seq }));
      }
      if (index <= before) throw new Broken(place, reason("Entry %(index)s is out of order.", { index }));
      before = index;
    }
  };

  const checkLength = async (bundle, stated, key) => {
    let lines;
    try {
      lines = (await openNote(bundle.length, key)).split("\n");
    } catch (problem) {
      if (!(problem instanceof BadNote)) throw problem;
      throw new Broken("length", reason("The statement of length does not hold: %(problem)s.", { problem: reason(problem.message) }));
    }
    const expected = ["heyi-length/v1", `case ${bundle.case}`, `events ${bundle.entries.length}`, `size ${stated.size}`,
      `root ${encode64(stated.root)}`, `bundle ${bundle.digest}`, ""].join("\n").split("\n");
    if (bundle.length.split("\n").length !== expected.length + 2 || lines.length !== expected.length) {
      throw new Broken("length", reason("The statement of length has lines that do not belong there."));
    }
    for (const [at, here] of expected.slice(0, -2).entries()) {
      if (lines[at] !== here) throw new Broken("length", reason("The log has signed “%(signed)s”, but here it is “%(here)s”.", { signed: lines[at], here }));
    }
    return heyi.equal(lines.slice(-2), expected.slice(-2));
  };

  const checkDigest = (agrees) => {
    if (!agrees) throw new Broken("", reason("The file is not the one that the log has signed: some part of it was changed."));
  };

  const checkHoles = ({ entries }) => {
    const explained = new Map(entries.filter((entry) => entry.kind === ERASURE).map((entry) => [plain(entry.event.index), entry.index]));
    for (const entry of entries) {
      const states = new Set(Object.values(entry.parts).filter((part) => typeof part === "string"));
      if (states.has(ERASED) && (states.size > 1 || (explained.get(String(entry.index)) ?? -1) <= entry.index)) {
        throw new Broken(entry.place, reason("The body of entry %(index)s is missing, and no event tells why.", { index: entry.index }));
      }
    }
  };

  const checkBundle = async (report, read, key) => {
    const bundle = await report.hold("file", async (breathe) => parse(await read(), breathe, (raw) => { report.raw = raw; }));
    report.bundle = bundle;
    await report.holdKey(bundle.key, key);
    await report.holdEntries(bundle.entries, bundle.checkpoint);
    await report.hold("sequence", () => checkSequence(bundle));
    const agrees = await report.hold("length", () => checkLength(bundle, report.checkpoint, report.key));
    await report.hold("digest", () => checkDigest(agrees));
    await report.hold("holes", () => checkHoles(bundle));
    report.draws = await report.hold("draws", () => heyi.drawsAgain(bundle.entries, report.key));
    report.verdicts = await report.hold("motions", (breathe) => verdicts(bundle.entries, breathe));
    await report.hold("finding", () => heyi.follows(bundle.entries));
  };

  const checkReceipt = async (report, read, key) => {
    const { checkpoint, named, entry } = await report.hold("file", async (breathe) => parseReceipt(await read(), breathe));
    report.receipt = entry;
    await report.holdKey(named, key);
    await report.holdEntries([entry], checkpoint);
  };

  // Checks a Blob. What is too large is refused unread. Without a key the file's own is used, and the report says so.
  const verify = async (file, key = null, told = () => {}) => {
    const mark = bytesOf(heyi.RECEIPT_LINE);
    const isReceipt = heyi.same(new Uint8Array(await file.slice(0, mark.length).arrayBuffer()), mark);
    const report = new Report(told, isReceipt ? NAMES.slice(0, OF_A_RECEIPT) : NAMES);
    const read = async () => {
      if (file.size > (isReceipt ? heyi.LARGEST_RECEIPT : LARGEST)) throw isReceipt ? heyi.tooLargeReceipt() : tooLarge();
      return new Uint8Array(await file.arrayBuffer());
    };
    try {
      await (isReceipt ? checkReceipt : checkBundle)(report, read, key);
    } catch (problem) {
      if (!(problem instanceof Broken || problem instanceof Unable)) throw problem;
    }
    return report.end();
  };

  Object.assign(heyi, { FAILS, HOLDS, NOT_REACHED, NOT_TRUSTED, UNABLE, verify });
})((globalThis.heyi ??= {}));
