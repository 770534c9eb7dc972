// A judge of the record whose signatures and trees are checked by @sigstore/verify, which nobody here wrote.
//
// It reads a JSON list of cases on stdin and writes a list of as many answers, as judge.go does. Its argument is the
// folder with node_modules. JSON.stringify with sorted names is the canonical form of RFC 8785.

import { createHash, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const require = createRequire(join(resolve(process.argv[2]), "package.json"));
const { verifyCheckpoint } = require("@sigstore/verify/dist/tlog/checkpoint.js");
const { verifyMerkleInclusion } = require("@sigstore/verify/dist/tlog/merkle.js");

const bytes = (text) => Buffer.from(text, "base64");
const words = (data) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

function must(holds, why) {
  if (!holds) throw new Error(why);
}

/** Open a checkpoint that the key has signed; its origin is the key's name. */
function opened(note, key, tell) {
  const [name, id, encoded] = split(key);
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), bytes(encoded).subarray(1)]);
  const log = {
    logID: Buffer.from(id, "hex"),
    baseURL: name,
    publicKey: createPublicKey({ key: der, format: "der", type: "spki" }),
  };
  const checkpoint = verifyCheckpoint({ inclusionProof: { checkpoint: { envelope: note } } }, [log]);
  must(checkpoint.origin === name, "the checkpoint is of another log");
  tell(note.slice(note.indexOf("\n\n") + 2).split("\n").map((line) => bytes(line.split(" ")[2] ?? "").toString("hex")));
  tell([checkpoint.origin, String(checkpoint.logSize), checkpoint.logHash.toString("hex"), checkpoint.rest]);
  return checkpoint;
}

/** Split a key's text form: name+id+base64, where the base64 may hold further plus signs. */
function split(key) {
  const [name, id] = key.split("+", 2);
  return [name, id, key.slice(name.length + id.length + 2)];
}

function included(leaf, index, checkpoint, hashes) {
  must(hashes.every((node) => node.length === 32), "not a hash");
  verifyMerkleInclusion({ canonicalizedBody: leaf, inclusionProof: { logIndex: String(index), hashes } }, checkpoint);
}

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

/** Return the data of an entry's leaf, after every disclosed part has opened its commitment. */
function leafOf(entry, tell) {
  const lines = ["header", "public", "private"].map((name) => {
    const commitment = bytes(entry.commitments[name]);
    const part = entry.parts[name];
    if (part !== "withheld" && part !== "erased") {
      const value = canonical(part.value);
      const prefix = `heyi:${name}:v1\0`;
      must(sha256(prefix, bytes(part.salt), value).equals(commitment), `the ${name} part does not open`);
      tell([bytes(part.salt).toString("hex"), value]);
    } else tell(part);
    return `${commitment.toString("base64")}\n`;
  });
  tell(lines);
  return Buffer.from(`heyi-leaf/v1\n${lines.join("")}`);
}

function receipt(of, tell) {
  const text = words(bytes(of.File));
  const end = text.indexOf("\n\n");
  const [first, extra, index, ...proof] = text.slice(0, Math.max(end, 0)).split("\n");
  must(first === "c2sp.org/tlog-proof@v1" && extra?.startsWith("extra "), "not a receipt");
  must(/^index (0|[1-9][0-9]*)$/.test(index), "no index");
  const said = JSON.parse(words(bytes(extra.slice(6))));
  must(said.format === "heyi-receipt/v1" && said.key === of.Key, "another format or key");
  const leaf = leafOf(said, tell);
  const hashes = proof.map(bytes);
  tell([index, proof.map((node) => bytes(node).toString("hex"))]);
  included(leaf, index.slice(6), opened(text.slice(end + 2), of.Key, tell), hashes);
}

function bundle(of, tell) {
  const said = JSON.parse(words(bytes(of.File)));
  const checkpoint = opened(said.checkpoint, of.Key, tell);
  tell([said.audience, said.case, said.format, said.key, said.length]);
  for (const entry of said.entries) {
    const leaf = leafOf(entry, tell);
    tell([entry.index, entry.proof.map((node) => bytes(node).toString("hex"))]);
    included(leaf, entry.index, checkpoint, entry.proof.map(bytes));
  }
}

const KINDS = {
  note: (of, tell) => opened(words(bytes(of.File)), of.Key, tell),
  inclusion: (of) =>
    included(bytes(of.Leaf), of.Index, { logSize: BigInt(of.Size), logHash: bytes(of.Root) }, of.Proof.map(bytes)),
  receipt,
  bundle,
};

function answer(of) {
  const read = createHash("sha256");
  try {
    KINDS[of.Kind](of, (told) => read.update(`${JSON.stringify(told)}\n`));
    return { Accepted: true, Why: "", Read: read.digest("base64") };
  } catch (error) {
    return { Accepted: false, Why: String(error.message), Read: null };
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(answer)));
