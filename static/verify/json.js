// Reads JSON strictly: no doubled fields, no fractions; errors name the character, counted in code points.
"use strict";
((heyi) => {
  const { BadValue, Broken, bytesOf, canonical, isObject, reason } = heyi;
  const LARGEST = 64 * 1024 * 1024;
  const MOST_VALUES = 4000000;
  const DEEPEST = 64;
  const MOST_NESTED = 960;
  const MOST_DIGITS = 4300;
  const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
  const WORDS = { n: ["null", null], t: ["true", true], f: ["false", false] };
  const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
  const FOUR = /[0-9a-fA-F]{4}/y;
  const UNREAL = /NaN|-?Infinity/y;

  class NotJson extends Error {
    constructor(at) {
      super("not JSON");
      this.at = at;
    }
  }
  class TooDeep extends Error {}

  class Reader {
    constructor(text) {
      this.text = text;
      this.at = 0;
    }

    // A generator, so that a long list can be read in slices: it yields between the members of the outermost levels.
    *whole() {
      if (this.text.startsWith("\uFEFF")) throw new NotJson(0);
      this.blanks();
      const value = yield* this.value(0);
      this.blanks();
      if (this.at !== this.text.length) throw new NotJson(this.at);
      return value;
    }

    blanks() {
      for (;;) {
        const code = this.text.charCodeAt(this.at);
        if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
        this.at += 1;
      }
    }

    *value(depth) {
      const mark = this.text[this.at];
      return mark === "{" || mark === "[" ? yield* this.container(mark, depth) : this.scalar(mark);
    }

    scalar(mark) {
      if (mark === '"') return this.string();
      const [word, value] = WORDS[mark] || [];
      if (word && this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
      return this.number();
    }

    number() {
      UNREAL.lastIndex = NUMBER.lastIndex = this.at;
      if (UNREAL.test(this.text)) throw new BadValue("no number");
      const found = NUMBER.exec(this.text);
      if (!found) throw new NotJson(this.at);
      const [written, fraction, exponent] = found;
      if (fraction || exponent || written.replace("-", "").length > MOST_DIGITS) throw new BadValue("no whole number");
      this.at += written.length;
      return Number(written) === 0 ? 0 : Number(written);
    }

    string() {
      const begin = this.at;
      let read = "";
      for (let next = begin + 1, from = next; ; next += 1) {
        const code = this.text.charCodeAt(next);
        if (code === 34) {
          this.at = next + 1;
          return read + this.text.slice(from, next);
        }
        if (code < 32) throw new NotJson(next);
        if (Number.isNaN(code)) throw new NotJson(begin);
        if (code === 92) {
          read += this.text.slice(from, next);
          const [mark, after] = this.escape(begin, next + 1);
          read += mark;
          from = after;
          next = after - 1;
        }
      }
    }

    // Returns what an escape stands for, and where it ends. Two halves of one character join by themselves.
    escape(begin, at) {
      if (at >= this.text.length) throw new NotJson(begin);
      const mark = this.text[at];
      if (mark !== "u") {
        if (!Object.hasOwn(ESCAPES, mark)) throw new NotJson(at - 1);
        return [ESCAPES[mark], at + 1];
      }
      FOUR.lastIndex = at + 1;
      if (at + 5 >= this.text.length || !FOUR.test(this.text)) throw new NotJson(at);
      return [String.fromCharCode(parseInt(this.text.slice(at + 1, at + 5), 16)), at + 5];
    }

    *container(open, depth) {
      if (depth >= MOST_NESTED) throw new TooDeep();
      const named = open === "{";
      const made = named ? Object.create(null) : [];
      const close = named ? "}" : "]";
      let twice = false;
      this.at += 1;
      this.blanks();
      while (this.text[this.at] !== close) {
        const name = named ? this.name() : made.length;
        twice ||= named && Object.hasOwn(made, name);
        made[name] = yield* this.value(depth + 1);
        if (depth < 2) yield this.at;
        this.blanks();
        if (this.text[this.at] === close) break;
        if (this.text[this.at] !== ",") throw new NotJson(this.at);
        this.at += 1;
        this.blanks();
        if (this.text[this.at] === close) throw new NotJson(this.at);
      }
      this.at += 1;
      if (twice) throw new Broken("", reason("The file names a field twice."));
      return made;
    }

    name() {
      if (this.text[this.at] !== '"') throw new NotJson(this.at);
      const name = this.string();
      this.blanks();
      if (this.text[this.at] !== ":") throw new NotJson(this.at);
      this.at += 1;
      this.blanks();
      return name;
    }
  }

  const requireShallow = (value, left) => {
    if (!left) throw new TooDeep();
    if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) requireShallow(inner, left - 1);
  };

  // Where UTF-8 breaks: the first byte of the first sequence that is none.
  const LEADS = [[0x00, 0x7f], [0xc2, 0xdf, 0x80, 0xbf], [0xe0, 0xe0, 0xa0, 0xbf], [0xe1, 0xec, 0x80, 0xbf], [0xed, 0xed, 0x80, 0x9f],
    [0xee, 0xef, 0x80, 0xbf], [0xf0, 0xf0, 0x90, 0xbf], [0xf1, 0xf3, 0x80, 0xbf], [0xf4, 0xf4, 0x80, 0x8f]];
  const brokenByte = (data) => {
    for (let at = 0; at < data.length;) {
      const lead = data[at];
      const row = LEADS.find(([low, high]) => low <= lead && lead <= high);
      if (!row) return at;
      const more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
      if (at + more >= data.length) return at;
      if (more && !(row[2] <= data[at + 1] && data[at + 1] <= row[3])) return at;
      for (let next = 2; next <= more; next += 1) if ((data[at + next] & 0xc0) !== 0x80) return at;
      at += more + 1;
    }
    return data.length;
  };

  const decoded = (data) => {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
    } catch {
      throw new Broken("", reason("The file is not UTF-8 at byte %(byte)s.", { byte: brokenByte(data) }));
    }
  };

  const valuesIn = (data) => {
    let values = 0;
    for (const byte of data) if (byte === 44 || byte === 91 || byte === 123) values += 1;
    return values;
  };

  // The canonical text of the outermost object, field by field, so that the page stays alive; null for any other value.
  const fieldTexts = async (value, breathe) => {
    if (!isObject(value)) return null;
    const texts = Object.create(null);
    for (const name of Object.keys(value).sort()) {
      if (!Array.isArray(value[name])) {
        texts[name] = canonical(value[name]);
        continue;
      }
      const items = [];
      for (const item of value[name]) {
        items.push(canonical(item));
        await breathe();
      }
      texts[name] = `[${items.join(",")}]`;
    }
    return texts;
  };

  const objectText = (texts, left = "") =>
    `{${Object.keys(texts).sort().filter((name) => name !== left).map((name) => `${canonical(name)}:${texts[name]}`).join(",")}}`;

  const codePoints = (text, end) => {
    let count = 0;
    for (let at = 0; at < end; at += text.codePointAt(at) > 0xffff ? 2 : 1) count += 1;
    return count;
  };

  const read = async (text, breathe) => {
    const reading = new Reader(text).whole();
    for (;;) {
      const step = reading.next();
      if (step.done) return step.value;
      await breathe(step.value / text.length);
    }
  };

  const told = (problem, text) => {
    if (problem instanceof NotJson) {
      return new Broken("", reason("The file is not JSON at character %(character)s.", { character: codePoints(text, problem.at) }));
    }
    if (problem instanceof TooDeep || problem instanceof RangeError) return new Broken("", reason("The file is nested too deeply."));
    if (problem instanceof BadValue) return new Broken("", reason("The file holds a number that is no whole number, or a broken text."));
    return problem;
  };

  // Reads canonical JSON that ends in one line end; returns the value and the texts of its fields.
  const jsonOf = async (data, breathe) => {
    if (data.length > LARGEST || valuesIn(data) > MOST_VALUES) throw tooLarge();
    const text = decoded(data);
    let value, texts, again;
    try {
      value = await read(text, breathe);
      requireShallow(value, DEEPEST);
      texts = await fieldTexts(value, breathe);
      again = bytesOf(`${texts ? objectText(texts) : canonical(value)}\n`);
    } catch (problem) {
      throw told(problem, text);
    }
    const shorter = Math.min(again.length, data.length);
    let differs = 0;
    while (differs < shorter && again[differs] === data[differs]) differs += 1;
    if (differs < shorter || again.length !== data.length) {
      throw new Broken("", reason("The file is not in canonical form from byte %(byte)s on.", { byte: differs }));
    }
    return { value, texts };
  };

  const tooLarge = () => new Broken("", reason("The file is larger than any bundle."));

  Object.assign(heyi, { LARGEST, decoded, jsonOf, objectText, tooLarge });
})((globalThis.heyi ??= {}));
