// Counting, in exact fractions: quorum, near tie, required line, in this order. See docs/record-format.md, 8.
"use strict";
((heyi) => {
  const { has, isObject } = heyi;
  const CARRIED = "carried";
  const LOST = "lost";
  const DEFERRED = "deferred";
  const LAPSED = "lapsed";

  // Values have not the shape that the events of a motion have.
  class ShapeError extends Error {}
  // What was handed in cannot be the ballots of this motion.
  class Miscount extends Error {}

  const require = (holds) => {
    if (!holds) throw new ShapeError("shape");
  };
  const get = (value, name) => {
    require(isObject(value) && has(value, name));
    return value[name];
  };
  const isText = (value) => typeof value === "string";
  const isFlag = (value) => typeof value === "boolean";
  const isNumber = (value) => typeof value === "number";
  const texts = (value) => {
    require(Array.isArray(value) && value.every(isText));
    return value;
  };

  const divisor = (one, other) => (other ? divisor(other, one % other) : one);

  // An exact fraction in lowest terms, never negative here.
  class Fraction {
    constructor(above, below = 1n) {
      const common = divisor(above, below) || 1n;
      [this.above, this.below] = [above / common, below / common];
    }

    static read(value) {
      const found = /^([0-9]{1,9})(?:\/([1-9][0-9]{0,8}))?$/.exec(String(value));
      require((isText(value) || isNumber(value)) && found);
      return new Fraction(BigInt(found[1]), BigInt(found[2] || 1));
    }

    times(whole) {
      return new Fraction(this.above * BigInt(whole), this.below);
    }

    get floor() {
      return Number(this.above / this.below);
    }

    get ceiling() {
      return Number((this.above + this.below - 1n) / this.below);
    }

    toString() {
      return this.below === 1n ? String(this.above) : `${this.above}/${this.below}`;
    }
  }
  const NOTHING = new Fraction(0n);

  const RULE = {
    majority: [Fraction.read], strict: [isFlag], base: [isText, "due"], passing: [isText, "approve"], contrary: [isText, ""],
    residual: [isText, ""], compared: [texts, []], near_tie: [isNumber, 0], near_tie_of_base: [Fraction.read, "0"], revotes: [isNumber, 1],
    quorum: [Fraction.read, "2/3"], quorum_strict: [isFlag, false], required_categories: [texts, []], required_each: [isNumber, 1],
    minimum_secret: [isNumber, 5], reason_required_for: [texts, []], hide_counts_when: [texts, []],
  };

  // What is left out has its default, what is unknown is refused.
  const ruleOf = (written) => {
    require(isObject(written) && Object.keys(written).every((name) => has(RULE, name)));
    const rule = {};
    for (const [name, [read, otherwise]] of Object.entries(RULE)) {
      const value = has(written, name) ? written[name] : otherwise;
      const found = value === undefined ? false : read(value);
      require(found);
      rule[name] = found === true ? value : found;
    }
    return rule;
  };

  const seatOf = (written) => {
    const seat = { seat: get(written, "seat"), entitled: get(written, "entitled"), due: true, category: "" };
    for (const name of ["due", "category"]) if (has(written, name)) seat[name] = written[name];
    require(isText(seat.seat) && isFlag(seat.entitled) && isFlag(seat.due) && isText(seat.category));
    return seat;
  };
  const rollOf = (opened) => {
    const roll = get(opened, "roll");
    require(Array.isArray(roll));
    return roll.map(seatOf);
  };
  const entitledOf = (roll) => roll.filter((seat) => seat.entitled).length;

  const step = (test, holds, value, needed, more = {}) => ({
    test, holds, value, needed, option: "", against: "", share: NOTHING, of: 0, exact: NOTHING, strict: false, missing: [], ...more,
  });

  // The least whole number that reaches a line: more than it, or at least it.
  const least = (exact, strict) => (strict ? exact.floor + 1 : exact.ceiling);

  // Holds a number against a share of a base. An empty base is never enough.
  const line = (test, option, value, share, of, strict) => {
    const exact = share.times(of);
    const needed = least(exact, strict);
    return step(test, of > 0 && value >= needed, value, needed, { option, share, of, exact, strict });
  };

  const sitting = (rule, roll, present) => {
    const due = roll.filter((seat) => seat.due);
    const here = due.filter((seat) => present.has(seat.seat));
    const steps = [line("quorum", "", here.length, rule.quorum, due.length, rule.quorum_strict)];
    const asked = rule.required_categories;
    if (asked.length) {
      const missing = asked.filter((category) => here.filter((seat) => seat.category === category).length < rule.required_each);
      steps.push(step("categories", !missing.length, asked.length - missing.length, asked.length, { missing }));
    }
    return steps;
  };

  const standing = (rule, roll, present, turnout, secret) => {
    const steps = sitting(rule, roll, present);
    if (secret) steps.push(step("minimum", turnout >= rule.minimum_secret, turnout, rule.minimum_secret));
    return steps;
  };

  const nearTie = (rule, counts, base) => {
    if (rule.compared.length !== 2) return null;
    const [first, second] = rule.compared;
    const [ours, theirs] = [counts.get(first) || 0, counts.get(second) || 0];
    const margin = Math.max(rule.near_tie, rule.near_tie_of_base.times(base).floor);
    const difference = Math.abs(ours - theirs);
    const close = difference <= margin && ours + theirs > 0;
    return step("near_tie", close, difference, margin, { option: first, against: second, share: rule.near_tie_of_base, of: base });
  };

  const baseOf = (rule, roll, present, cast) => {
    if (rule.base === "due") return entitledOf(roll);
    if (rule.base === "present") return roll.filter((seat) => seat.entitled && present.has(seat.seat)).length;
    if (rule.base === "cast") return cast;
    throw new Miscount(`no such base: ${rule.base}`);
  };

  const decide = (rule, counts, base) => {
    const close = nearTie(rule, counts, base);
    const steps = close ? [close] : [];
    if (close && close.holds) return [DEFERRED, "", steps];
    const side = (test, option) => line(test, option, counts.get(option) || 0, rule.majority, base, rule.strict);
    steps.push(side("line", rule.passing));
    if (steps.at(-1).holds) return [CARRIED, rule.passing, steps];
    if (!rule.contrary) return [LOST, rule.residual, steps];
    steps.push(side("contrary", rule.contrary));
    return [LOST, steps.at(-1).holds ? rule.contrary : rule.residual, steps];
  };

  const result = (rule, roll, present, cast, base, [carried, settled, steps], counts) => {
    const [quorum, required] = [steps[0], rule.majority.times(base)];
    const quorum_met = steps.every((one) => one.holds || !["quorum", "categories"].includes(one.test));
    return {
      carried, settled, counts, due: quorum.of, entitled: entitledOf(roll), present: quorum.value, cast, base, required,
      needed: least(required, rule.strict), quorum_needed: quorum.exact, quorum_met, steps,
    };
  };

  // The result of a motion that is not counted, for want of a quorum or of ballots.
  const lapsed = (rule, roll, present, turnout, secret) => {
    const outcome = [LAPSED, "", standing(rule, roll, present, turnout, secret)];
    return result(rule, roll, present, turnout, baseOf(rule, roll, present, turnout), outcome, new Map());
  };

  const sum = (counts) => [...counts.values()].reduce((all, n) => all + n, 0);

  const checked = (options, roll, counts) => {
    const unknown = [...counts.keys()].filter((option) => !options.includes(option)).sort(heyi.byCodePoint);
    if (unknown.length) throw new Miscount(`no such option: ${unknown[0]}`);
    if ([...counts.values()].some((n) => n < 0)) throw new Miscount("a count is negative");
    const [cast, entitled] = [sum(counts), entitledOf(roll)];
    if (cast > entitled) throw new Miscount(`${cast} ballots of ${entitled} entitled members`);
    return cast;
  };

  // Counts a motion; `counts` is a Map from option to number, `present` a Set of seats.
  const tally = (rule, options, { roll, present, counts, secret = false }) => {
    const cast = checked(options, roll, counts);
    const before = standing(rule, roll, present, cast, secret);
    if (!before.every((one) => one.holds)) return lapsed(rule, roll, present, cast, secret);
    const every = new Map(options.map((option) => [option, counts.get(option) || 0]));
    const base = baseOf(rule, roll, present, cast);
    const [carried, settled, steps] = decide(rule, every, base);
    return result(rule, roll, present, cast, base, [carried, settled, [...before, ...steps]], every);
  };

  // JSON values; fractions as exact text.
  const written = (value) => {
    if (value instanceof Fraction) return String(value);
    if (value instanceof Map) return Object.fromEntries(value);
    if (Array.isArray(value)) return value.map(written);
    return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, written(inner)])) : value;
  };

  Object.assign(heyi, { CARRIED, LAPSED, Miscount, ShapeError, get, isText, lapsed, require, rollOf, ruleOf, sum, tally, texts, written });
})((globalThis.heyi ??= {}));
