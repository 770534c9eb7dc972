// The shape of a bundle and of its entries: every field and no other. See docs/record-format.md, 6.
"use strict";
((heyi) => {
  const { BadValue, Broken, HASH_SIZE, PARTS, bytesOf, decode64, has, isObject, jsonOf, objectText, reason, sha256Text } = heyi;
  const FORMAT = "heyi-bundle/v1";
  const AUDIENCES = ["public", "party", "panel", "full"];
  const FIELDS = ["format", "audience", "case", "key", "checkpoint", "entries", "length"];
  const WITHHELD = "withheld";
  const ERASED = "erased";
  const SALT_SIZE = 32;
  const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;

  const fieldsIn = (value, place, names) => {
    if (!isObject(value) || Object.keys(value).length !== names.length || !names.every((name) => has(value, name))) {
      throw new Broken(place, reason("There is no object with exactly the fields %(names)s here.", { names: names.join(", ") }));
    }
    return value;
  };

  const list = (value, place) => {
    if (!Array.isArray(value)) throw new Broken(place, reason("There is no list here."));
    return value;
  };

  const text = (value, place) => {
    if (typeof value !== "string") throw new Broken(place, reason("There is no text here."));
    return value;
  };

  const number = (value, place) => {
    if (typeof value !== "number" || value < 0) throw new Broken(place, reason("There is no whole number here."));
    return value;
  };

  const bytes = (value, place, size) => {
    let data;
    try {
      data = decode64(text(value, place));
    } catch (problem) {
      throw problem instanceof BadValue ? new Broken(place, reason("This is not base64 in its one form.")) : problem;
    }
    if (data.length !== size) throw new Broken(place, reason("There are not %(size)s bytes here.", { size }));
    return data;
  };

  const each = (names, read) => Object.fromEntries(names.map((name) => [name, read(name)]));

  const commitmentsIn = (value, place) => {
    const told = fieldsIn(value, place, PARTS);
    return each(PARTS, (name) => bytes(told[name], `${place}.${name}`, HASH_SIZE));
  };

  const partsIn = (value, place) => {
    const told = fieldsIn(value, place, PARTS);
    return each(PARTS, (name) => part(told[name], `${place}.${name}`, name === "header"));
  };

  const part = (value, place, isHeader) => {
    if (!isHeader && (value === WITHHELD || value === ERASED)) return value;
    const fields = fieldsIn(value, place, ["salt", "value"]);
    if (!isObject(fields.value)) throw new Broken(`${place}.value`, reason("There is no object here."));
    if (isHeader) requireHeader(fields.value, `${place}.value`);
    return { salt: bytes(fields.salt, `${place}.salt`, SALT_SIZE), value: fields.value };
  };

  const requireHeader = (value, place) => {
    const fields = fieldsIn(value, place, ["case", "seq", "time"]);
    text(fields.case, `${place}.case`);
    number(fields.seq, `${place}.seq`);
    if (!TIME.test(text(fields.time, `${place}.time`))) throw new Broken(`${place}.time`, reason("There is no time here."));
  };

  // A text for any value, for comparing what should be texts or numbers.
  const plain = (value) => {
    if (typeof value === "string") return value;
    if (value === null || value === undefined) return "None";
    if (typeof value === "boolean") return value ? "True" : "False";
    return typeof value === "number" ? String(value) : heyi.canonical(value);
  };

  class Entry {
    constructor(place, index, commitments, parts, proof) {
      Object.assign(this, { place, index, commitments, parts, proof });
    }

    get header() {
      return this.parts.header.value;
    }

    // What is disclosed of the event, public and private together; empty when nothing is.
    get event() {
      const shown = [this.parts.private, this.parts.public].filter((one) => typeof one !== "string");
      return Object.assign(Object.create(null), ...shown.map((one) => one.value));
    }

    // The kind of event, or an empty text when the public part is not disclosed.
    get kind() {
      const shown = this.parts.public;
      return typeof shown === "string" || !has(shown.value, "kind") ? "" : plain(shown.value.kind);
    }

    holds(state) {
      return Object.values(this.parts).includes(state);
    }
  }

  const entryIn = (value, place) => {
    const fields = fieldsIn(value, place, ["index", "commitments", "parts", "proof"]);
    const proof = list(fields.proof, `${place}.proof`);
    const index = number(fields.index, `${place}.index`);
    const commitments = commitmentsIn(fields.commitments, `${place}.commitments`);
    const parts = partsIn(fields.parts, `${place}.parts`);
    return new Entry(place, index, commitments, parts, proof.map((node, at) => bytes(node, `${place}.proof[${at}]`, HASH_SIZE)));
  };

  // Reads a bundle; `seen` gets the value as soon as it is JSON, so that a broken one can be shown.
  const parse = async (data, breathe, seen) => {
    const { value, texts } = await jsonOf(data, breathe);
    seen(value);
    const whole = fieldsIn(value, "", FIELDS);
    if (whole.format !== FORMAT) {
      throw new Broken("format", reason("This version reads bundles of the format %(format)s only.", { format: FORMAT }));
    }
    if (!AUDIENCES.includes(whole.audience)) throw new Broken("audience", reason("There is no such audience."));
    for (const name of ["case", "key", "checkpoint", "length"]) text(whole[name], name);
    const entries = [];
    for (const [at, entry] of list(whole.entries, "entries").entries()) {
      entries.push(entryIn(entry, `entries[${at}]`));
      await breathe();
    }
    const digest = await sha256Text(objectText(texts, "length"));
    const { audience, case: token, key, checkpoint, length } = whole;
    return { audience, case: token, key, checkpoint, length, entries, digest };
  };

  Object.assign(heyi, { ERASED, Entry, bytesOf, commitmentsIn, fieldsIn, parse, partsIn, plain });
})((globalThis.heyi ??= {}));
