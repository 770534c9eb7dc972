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
  const isScalar = (value) => typeof value !== "object" || value === null;
  const texts = (value) => {
    require(Array.isArray(value) && value.every(isText));
    return value;
  };
  // What a list, a text or an object yields when it is gone through; the members must be able to stand in a set.
  const members = (value) => {
    require(isText(value) || Array.isArray(value) || isObject(value));
    const found = isObject(value) ? Object.keys(value) : [...value];
    require(found.every(isScalar));
    return found;
  };
  // What counts as true or as a number; the record's own events hold nothing but true, false and numbers there.
  const truthy = (value) => (isScalar(value) ? Boolean(value) : Object.keys(value).length > 0);
  const numberOf = (value) => {
    require(typeof value === "number" || typeof value === "boolean");
    return Number(value);
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
      require((isText(value) || typeof value === "number") && found);
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

  const asIs = (value) => value;
  const REQUIRED = Symbol("required");
  const RULE = {
    majority: [Fraction.read, REQUIRED], strict: [asIs, REQUIRED], base: [asIs, "due"], passing: [asIs, "approve"], contrary: [asIs, ""],
    residual: [asIs, ""], compared: [members, []], near_tie: [asIs, 0], near_tie_of_base: [Fraction.read, "0"], revotes: [asIs, 1],
    quorum: [Fraction.read, "2/3"], quorum_strict: [asIs, false], required_categories: [members, []], required_each: [asIs, 1],
    minimum_secret: [asIs, 5], reason_required_for: [members, []], hide_counts_when: [members, []],
  };

  // What is left out has its default, what is unknown is refused.
  const ruleOf = (written) => {
    require(isObject(written) && Object.keys(written).every((name) => has(RULE, name)));
    return Object.fromEntries(Object.entries(RULE).map(([name, [read, otherwise]]) => {
      const value = has(written, name) ? written[name] : otherwise;
      require(value !== REQUIRED);
      return [name, read(value)];
    }));
  };

  const seatOf = (written) => {
    const seat = { seat: get(written, "seat"), entitled: get(written, "entitled"), due: true, category: "" };
    for (const name of ["due", "category"]) if (has(written, name)) seat[name] = written[name];
    return seat;
  };
  const rollOf = (opened) => {
    const roll = get(opened, "roll");
    require(Array.isArray(roll));
    return roll.map(seatOf);
  };
  const entitledOf = (roll) => roll.reduce((sum, seat) => sum + numberOf(seat.entitled), 0);
  const seatsEntitled = (roll) => new Set(roll.filter((seat) => truthy(seat.entitled)).map((seat) => seat.seat));

  const step = (test, holds, value, needed, more = {}) => ({
    test, holds, value, needed, option: "", against: "", share: NOTHING, of: 0, exact: NOTHING, strict: false, missing: [], ...more,
  });

  // The least whole number that reaches a line: more than it, or at least it.
  const least = (exact, strict) => (truthy(strict) ? exact.floor + 1 : exact.ceiling);

  // Holds a number against a share of a base. An empty base is never enough.
  const line = (test, option, value, share, of, strict) => {
    const exact = share.times(of);
    const needed = least(exact, strict);
    return step(test, of > 0 && value >= needed, value, needed, { option, share, of, exact, strict });
  };

  const sitting = (rule, roll, present) => {
    const due = roll.filter((seat) => truthy(seat.due));
    const here = due.filter((seat) => present.has(seat.seat));
    const steps = [line("quorum", "", here.length, rule.quorum, due.length, rule.quorum_strict)];
    const asked = rule.required_categories;
    if (asked.length) {
      const missing = asked.filter((category) => here.filter((seat) => seat.category === category).length < numberOf(rule.required_each));
      steps.push(step("categories", !missing.length, asked.length - missing.length, asked.length, { missing }));
    }
    return steps;
  };

  const standing = (rule, roll, present, turnout, secret) => {
    const steps = sitting(rule, roll, present);
    if (secret) steps.push(step("minimum", turnout >= numberOf(rule.minimum_secret), turnout, rule.minimum_secret));
    return steps;
  };

  const nearTie = (rule, counts, base) => {
    if (rule.compared.length !== 2) return null;
    const [first, second] = rule.compared;
    const [ours, theirs] = [counts.get(first) || 0, counts.get(second) || 0];
    const margin = Math.max(numberOf(rule.near_tie), rule.near_tie_of_base.times(base).floor);
    const difference = Math.abs(ours - theirs);
    const close = difference <= margin && ours + theirs > 0;
    return step("near_tie", close, difference, margin, { option: first, against: second, share: rule.near_tie_of_base, of: base });
  };

  const baseOf = (rule, roll, present, cast) => {
    if (rule.base === "due") return entitledOf(roll);
    if (rule.base === "present") return roll.filter((seat) => truthy(seat.entitled) && present.has(seat.seat)).length;
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
    if (!truthy(rule.contrary)) return [LOST, rule.residual, steps];
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

  Object.assign(heyi, { CARRIED, LAPSED, Miscount, ShapeError, get, entitledOf, isText, lapsed, members, numberOf, require, rollOf,
    ruleOf, seatsEntitled, sum, tally, texts, truthy, written });
})((globalThis.heyi ??= {}));
