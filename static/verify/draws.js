// Whether the draws of a case can be held again: commitments before the root, secrets as committed, the same result.
"use strict";
((heyi) => {
  const { BadNote, Broken, ShapeError, byCodePoint, equal, get, hex, isObject, isText, openNote, parseCheckpoint, parted, plain, reason, require, sha256Text, signedBy } = heyi;
  const [PREPARED, COMMITTED, FIXED, REVEALED, HELD] =
    ["draw_prepared", "contribution_committed", "draw_fixed", "contribution_revealed", "draw_held"].map((verb) => `draws.${verb}`);
  const CONTRIBUTORS = ["chair", "scrutineer"];
  const MOST = 20000;

  const digest = (...lines) => {
    require(lines.every((line) => isText(line) && !line.includes("\n")));
    return sha256Text(lines.map((line) => `${line}\n`).join(""));
  };
  const number = (value) => {
    require(Number.isInteger(value) && value >= 0 && value <= MOST);
    return value;
  };
  const raise = (map, name, by = 1) => map.set(name, (map.get(name) || 0) + by);

  // How many seats of each category are filled from each unit: a flow from categories to units.
  class Filling {
    constructor(candidates, room) {
      this.people = new Map();
      for (const { category, unit } of candidates) {
        if (!this.people.has(category)) this.people.set(category, new Map());
        raise(this.people.get(category), unit);
      }
      Object.assign(this, { room, filled: new Map(), full: new Map() });
    }

    oneMore(category, seen) {
      for (const [unit, people] of this.people.get(category) || []) {
        const filled = this.filled.get(unit) || this.filled.set(unit, new Map()).get(unit);
        if (seen.has(unit) || (filled.get(category) || 0) >= people) continue;
        seen.add(unit);
        if ((this.full.get(unit) || 0) < this.room(unit) || this.movedOut(unit, seen)) {
          raise(filled, category);
          raise(this.full, unit);
          return true;
        }
      }
      return false;
    }

    movedOut(unit, seen) {
      for (const [category, count] of [...this.filled.get(unit)]) {
        if (count && this.oneMore(category, seen)) {
          raise(this.filled.get(unit), category, -1);
          raise(this.full, unit, -1);
          return true;
        }
      }
      return false;
    }
  }

  const roomOf = (seats, perUnit, taken) => {
    const every = [...seats.values()].reduce((sum, count) => sum + count, 0);
    return (unit) => (perUnit === null || unit === "" ? every : Math.max(0, perUnit - (taken.get(unit) || 0)));
  };

  const possible = (candidates, seats, perUnit, taken) => {
    const filling = new Filling(candidates, roomOf(seats, perUnit, taken));
    return [...seats].every(([category, needed]) => Array.from({ length: needed }).every(() => filling.oneMore(category, new Set())));
  };

  const hold = async (candidates, seats, perUnit, held, seed) => {
    require(possible(candidates, seats, perUnit, held));
    const tickets = new Map(await Promise.all(candidates.map(async ({ id }) => [id, await digest("heyi-draw-ticket/1", seed, id)])));
    const order = [...candidates].sort((one, other) =>
      byCodePoint(tickets.get(one.id), tickets.get(other.id)) || byCodePoint(one.id, other.id));
    const [left, taken, members, alternates] = [new Map(seats), new Map(held), {}, {}];
    const fits = (one, after) => {
      if (one.unit !== "" && roomOf(left, perUnit, taken)(one.unit) === 0) return false;
      const [seatsLeft, then] = [new Map(left), new Map(taken)];
      raise(seatsLeft, one.category, -1);
      raise(then, one.unit);
      const later = order.filter(({ category }) => category !== one.category && left.get(category));
      return possible([...after, ...later], seatsLeft, perUnit, then);
    };
    for (const category of seats.keys()) {
      [members[category], alternates[category]] = [[], []];
      const waiting = order.filter((one) => one.category === category);
      for (const [at, one] of waiting.entries()) {
        const drawn = left.get(category) > 0 && fits(one, waiting.slice(at + 1));
        (drawn ? members : alternates)[category].push(one.id);
        if (!drawn) continue;
        raise(left, category, -1);
        raise(taken, one.unit);
      }
    }
    return { members, alternates };
  };

  const heldAgainOf = (prepared, seed) => {
    const [terms, pool] = [get(prepared, "terms"), get(prepared, "candidates")];
    require(Array.isArray(pool) && pool.length <= MOST);
    const candidates = pool.map((one) => ({ id: get(one, "id"), category: get(one, "category"), unit: get(one, "unit") }));
    require(candidates.every((one) => Object.values(one).every(isText)) && new Set(candidates.map(({ id }) => id)).size === pool.length);
    const [seats, held, perUnit] = [get(terms, "seats"), get(terms, "held"), get(terms, "per_unit")];
    require(isObject(seats) && isObject(held));
    const numbers = (of) => new Map(Object.entries(of).map(([name, count]) => [name, number(count)]).sort(([a], [b]) => byCodePoint(a, b)));
    return hold(candidates, numbers(seats), perUnit === null ? null : number(perUnit), numbers(held), seed);
  };

  // The root that was fixed: younger than both commitments, and signed, if this key has signed it.
  const rootOf = async (fixed, committed, key) => {
    const told = fixed.event;
    let stated;
    try {
      require(isText(get(told, "note")));
      stated = parseCheckpoint(signedBy(told.note, key) ? await openNote(told.note, key) : parted(told.note).text);
    } catch (problem) {
      if (!(problem instanceof BadNote)) throw problem;
      throw new Broken(fixed.place, reason("The root of the draw is not signed: %(problem)s.", { problem: reason(problem.message) }));
    }
    const root = hex(stated.root);
    if (!equal([get(told, "size"), get(told, "root")], [Number(stated.size), root])) {
      throw new Broken(fixed.place, reason("The root of the draw is not the one that was signed."));
    }
    if (!(Math.max(...committed) < stated.size && stated.size <= fixed.index)) {
      throw new Broken(fixed.place, reason("The root of the draw is not younger than both commitments."));
    }
    return root;
  };

  const indices = (entries) => [...entries.values()].map(({ index }) => index).sort((one, other) => one - other);

  const heldAgain = async ({ prepared, committed, fixed, revealed, held }, key) => {
    const root = await rootOf(fixed, indices(committed), key);
    const [told, secrets] = [held.event, get(held.event, "secrets")];
    const order = [prepared.index, ...indices(committed), fixed.index, ...indices(revealed), held.index];
    if (order.some((index, at) => at && index <= order[at - 1])) throw new Broken(held.place, reason("The steps of the draw are out of order."));
    require(Array.isArray(secrets) && secrets.length === CONTRIBUTORS.length);
    for (const [at, contributor] of CONTRIBUTORS.entries()) {
      require(committed.has(contributor));
      const said = await digest("heyi-draw-commitment/1", get(told, "draw"), contributor, secrets[at]);
      if (!equal(said, get(committed.get(contributor).event, "commitment"))) {
        throw new Broken(held.place, reason("A secret of the draw is not the one that was committed to."));
      }
    }
    if (!equal(await digest("heyi-draw-seed/1", told.draw, root, ...secrets), get(told, "seed"))) {
      throw new Broken(held.place, reason("The seed of the draw is not made of its root and its secrets."));
    }
    const drawn = await heldAgainOf(prepared.event, told.seed);
    if (!equal(drawn, { members: get(told, "members"), alternates: get(told, "alternates") })) {
      throw new Broken(held.place, reason("The draw gives another result when it is held again."));
    }
    const n = Object.values(told.members).reduce((sum, ids) => sum + ids.length, 0);
    return { words: reason("Draw %(number)s: held again, with the same %(n)s members.", { number: get(prepared.event, "number"), n }) };
  };

  const drawingsOf = (entries) => {
    const told = new Map();
    for (const entry of entries) {
      if (![PREPARED, COMMITTED, FIXED, REVEALED, HELD].includes(entry.kind)) continue;
      const name = plain(entry.event.draw);
      if (!told.has(name)) told.set(name, { prepared: null, committed: new Map(), fixed: null, revealed: new Map(), held: null });
      const one = told.get(name);
      const of = { [COMMITTED]: one.committed, [REVEALED]: one.revealed }[entry.kind];
      const contributor = plain(entry.event.contributor);
      if (of) of.set(contributor, of.get(contributor) || entry);
      else if (entry.kind === PREPARED) one.prepared ||= entry;
      else if (entry.kind === FIXED) one.fixed ||= entry;
      else one.held ||= entry;
    }
    return [...told.values()];
  };

  // Holds every draw again that was held and of which nothing is withheld; a line about each.
  const drawsAgain = async (entries, key) => {
    const found = [];
    for (const drawing of drawingsOf(entries)) {
      if (!drawing.held || !drawing.prepared || !drawing.fixed || drawing.committed.size < 2) continue;
      try {
        found.push(await heldAgain(drawing, key));
      } catch (problem) {
        if (!(problem instanceof ShapeError)) throw problem;
        throw new Broken(drawing.held.place, reason("The draw has not the shape of a draw."));
      }
    }
    return found;
  };

  Object.assign(heyi, { drawsAgain });
})((globalThis.heyi ??= {}));
