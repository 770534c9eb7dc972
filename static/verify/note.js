// Keys, signed notes, checkpoints: C2SP signed-note and tlog-checkpoint with Ed25519. See docs/record-format.md, 5.
"use strict";
((heyi) => {
  const { BadValue, Unable, bytesOf, decode64, encode64, hex, joined, label, same, sha256 } = heyi;
  const ED25519 = Uint8Array.of(1);
  const SIGNATURE = "— ";
  const NAME = /^[!-*,-~]{1,200}$/;
  const CONTROL = /[\x00-\x09\x0b-\x1f]/;
  const SIZE = /^(?:0|[1-9][0-9]{0,17})$/;
  const HASH_SIZE = 32;

  class BadNote extends Error {}

  const decode = (text) => {
    try {
      return decode64(text);
    } catch (problem) {
      throw problem instanceof BadValue ? new BadNote(problem.message) : problem;
    }
  };

  const keyId = async (name, key) => (await sha256(joined(bytesOf(`${name}\n`), ED25519, key))).slice(0, 4);

  const parseKey = async (text) => {
    const [name, identity, ...rest] = text.split("+");
    if (!rest.length || !NAME.test(name)) throw new BadNote(label("not a key"));
    const data = decode(rest.join("+"));
    if (data.length !== 33 || data[0] !== ED25519[0]) throw new BadNote(label("not an Ed25519 key"));
    const [bytes, id] = [data.slice(1), await keyId(name, data.slice(1))];
    if (identity !== hex(id)) throw new BadNote(label("the key's id does not belong to its name and bytes"));
    return { name, bytes, id, text: `${name}+${hex(id)}+${encode64(data)}` };
  };

  // RFC 8032, 7.1, test 1: a browser that does not judge this rightly cannot judge anything.
  const KNOWN_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
  const KNOWN_SIGNATURE = "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw==";

  const judged = async (key, signature, bytes) => {
    const imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
    return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, bytes);
  };

  const canJudge = async () => {
    try {
      const [key, signature] = [decode64(KNOWN_KEY), decode64(KNOWN_SIGNATURE)];
      return (await judged(key, signature, new Uint8Array())) && !(await judged(key, signature, ED25519));
    } catch {
      return false;
    }
  };

  const verifies = async (key, signature, text) => {
    if (!(await canJudge())) throw new Unable("no Ed25519");
    try {
      return await judged(key.bytes, signature, bytesOf(text));
    } catch {
      return false;
    }
  };

  const signatureLine = (line) => {
    const rest = line.slice(SIGNATURE.length);
    const blank = rest.indexOf(" ");
    const name = rest.slice(0, Math.max(blank, 0));
    if (!line.startsWith(SIGNATURE) || blank < 0 || !NAME.test(name)) throw new BadNote(label("not a signature line"));
    const data = decode(rest.slice(blank + 1));
    if (data.length < 5) throw new BadNote(label("the signature is too short"));
    return { name, data };
  };

  const parted = (note) => {
    const split = note.lastIndexOf("\n\n");
    if (split < 0 || !note.endsWith("\n") || split + 2 >= note.length) throw new BadNote(label("not a signed note"));
    const text = `${note.slice(0, split)}\n`;
    if (CONTROL.test(text)) throw new BadNote(label("a note's text ends its last line and has no control characters"));
    return { text, signatures: note.slice(split + 2, -1).split("\n").map(signatureLine) };
  };

  // The text of a note after verifying the signature of this key; lines of other keys are passed over.
  const openNote = async (note, key) => {
    const { text, signatures } = parted(note);
    const mine = signatures.filter(({ name, data }) => name === key.name && same(data.slice(0, 4), key.id));
    if (mine.length > 1) throw new BadNote(label("two signatures of this key"));
    if (!mine.length) throw new BadNote(label("no signature of this key"));
    if (!(await verifies(key, mine[0].data.slice(4), text))) throw new BadNote(label("the signature does not belong to the text"));
    return text;
  };

  // Whether a note bears a line by this key, whatever it is worth.
  const signedBy = (note, key) => parted(note).signatures.some(({ name, data }) => name === key.name && same(data.slice(0, 4), key.id));

  const parseCheckpoint = (text) => {
    const lines = text.split("\n");
    if (lines.length !== 4 || lines[3] || !SIZE.test(lines[1])) throw new BadNote(label("not a checkpoint"));
    const root = decode(lines[2]);
    if (root.length !== HASH_SIZE) throw new BadNote(label("the root has a wrong length"));
    return { origin: lines[0], size: BigInt(lines[1]), root };
  };

  Object.assign(heyi, { BadNote, HASH_SIZE, canJudge, openNote, parseCheckpoint, parseKey, parted, signedBy });
})((globalThis.heyi ??= {}));
