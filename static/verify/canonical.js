// Bytes and JSON: base64 in its one form, SHA-256, and the canonical form of RFC 8785. See docs/record-format.md, 1.
"use strict";
((heyi) => {
  const MOST_EXACT = Number.MAX_SAFE_INTEGER;
  const LONE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

  // A sentence for the reader: an English msgid with its named parameters; the page translates it.
  const reason = (msgid, params = {}) => ({ msgid, params });
  // Marks a text that is translated where it is shown.
  const label = (msgid) => msgid;

  class Broken extends Error {
    // Something does not hold; `place` is a path into the file, empty for the whole of it.
    constructor(place, why) {
      super(why.msgid);
      this.place = place;
      this.reason = why;
    }
  }
  // This browser cannot tell: never to be taken for a result.
  class Unable extends Error {}
  // A value that may not stand on the record, or base64 that is not the one way to write its bytes.
  class BadValue extends Error {}

  const utf8 = new TextEncoder();
  const bytesOf = (text) => utf8.encode(text);

  const joined = (...pieces) => {
    const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  };

  const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);
  const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const sha256Text = async (text) => hex(await sha256(bytesOf(text)));

  const encode64 = (bytes) => {
    let binary = "";
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return btoa(binary);
  };

  const decode64 = (text) => {
    const [, digits, pads] = /^([A-Za-z0-9+/]*)(={0,2})$/.exec(text) || [];
    const rest = digits === undefined ? 1 : digits.length % 4;
    if (rest === 1 || (rest === 2 && pads.length < 2) || (rest === 3 && pads.length < 1)) throw new BadValue(label("not base64"));
    const data = Uint8Array.from(atob(digits), (mark) => mark.charCodeAt(0));
    if (encode64(data) !== text) throw new BadValue(label("base64 with stray bits"));
    return data;
  };

  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  const has = (value, name) => Object.hasOwn(value, name);

  const textOf = (value) => {
    if (LONE.test(value)) throw new BadValue("a broken text");
    return JSON.stringify(value);
  };

  // The text of a value in canonical form; keys are sorted by UTF-16 code units, which is how texts compare here.
  const canonical = (value) => {
    if (typeof value === "string") return textOf(value);
    if (typeof value === "number") {
      if (!Number.isInteger(value) || Math.abs(value) > MOST_EXACT) throw new BadValue("no whole number");
      return String(value);
    }
    if (value === null || typeof value === "boolean") return String(value);
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    if (!isObject(value)) throw new BadValue("no JSON value");
    return `{${Object.keys(value).sort().map((name) => `${textOf(name)}:${canonical(value[name])}`).join(",")}}`;
  };

  // Texts in the order of their code points.
  const byCodePoint = (one, other) => {
    const [ours, theirs] = [[...one], [...other]];
    const at = ours.findIndex((mark, place) => mark !== theirs[place]);
    if (at < 0) return ours.length - theirs.length;
    return at >= theirs.length ? 1 : ours[at].codePointAt(0) - theirs[at].codePointAt(0);
  };

  // Lets the page breathe: waits when more than a few frames have gone by, and tells how far the work is.
  const SLICE = 30;
  const breather = (tell = () => {}) => {
    let last = performance.now();
    return async (done = null) => {
      if (performance.now() - last < SLICE) return;
      if (done !== null) tell(done);
      await new Promise((go) => setTimeout(go, 0));
      last = performance.now();
    };
  };

  Object.assign(heyi, {
    BadValue, Broken, Unable, breather, byCodePoint, bytesOf, canonical, decode64, encode64, has, hex, isObject,
    joined, label, reason, same, sha256, sha256Text,
  });
})((globalThis.heyi ??= {}));
