// What a leaf commits to, and whether a leaf is in the tree (RFC 9162, 2.1.3.2). See docs/record-format.md, 3 and 4.
"use strict";
((heyi) => {
  const { bytesOf, canonical, encode64, joined, same, sha256 } = heyi;
  const PARTS = ["header", "public", "private"];
  const ZERO = Uint8Array.of(0);
  const ONE = Uint8Array.of(1);

  const commit = (part, salt, value) => sha256(joined(bytesOf(`heyi:${part}:v1\0`), salt, bytesOf(canonical(value))));
  const leafData = (commitments) => bytesOf(["heyi-leaf/v1", ...PARTS.map((part) => encode64(commitments[part]))].map((line) => `${line}\n`).join(""));
  const leafHash = (data) => sha256(joined(ZERO, data));
  const nodeHash = (left, right) => sha256(joined(ONE, left, right));

  // Sizes can be larger than what a number holds exactly: index and size are BigInt.
  const verifyInclusion = async (leaf, index, size, proof, root) => {
    if (index < 0n || index >= size) return false;
    let [place, last, reached] = [index, size - 1n, leaf];
    for (const sibling of proof) {
      if (last === 0n) return false;
      if (place & 1n || place === last) {
        reached = await nodeHash(sibling, reached);
        while (!(place & 1n) && place) {
          place >>= 1n;
          last >>= 1n;
        }
      } else {
        reached = await nodeHash(reached, sibling);
      }
      place >>= 1n;
      last >>= 1n;
    }
    return last === 0n && same(reached, root);
  };

  Object.assign(heyi, { PARTS, commit, leafData, leafHash, verifyInclusion });
})((globalThis.heyi ??= {}));
