// What the disclosed events allow of every motion: open ones are counted again, sealed ones are checked.
"use strict";
((heyi) => {
  const { Broken, ERASED, LAPSED, Miscount, ShapeError, byCodePoint, canonical, get, has, isObject, isText, lapsed, plain, reason } = heyi;
  const { entitledOf, members, numberOf, require, rollOf, ruleOf, seatsEntitled, sha256Text, sum, tally, texts, truthy, written } = heyi;
  const [OPENED, CAST, CLOSED, ANNULLED] = ["motion_opened", "ballot_cast", "motion_closed", "motion_annulled"].map((verb) => `votes.${verb}`);
  const FROZEN = ["motion", "number", "motion_kind", "question_sha256", "outcome", "secrecy", "options", "rule", "roll", "public_key", "repeats"];
  const FRACTION = /^[0-9]{1,9}(\/[1-9][0-9]{0,8})?$/;
  const FULL = "full";
  const PROBLEMS = {
    frozen_digest: reason("question, options, rule or roll are not those that were frozen at opening"),
    roll: reason("the roll does not agree with its own numbers"),
    too_few_entitled: reason("too few members were entitled for a secret vote"),
    question: reason("the question is not the one that was frozen"),
    ballots: reason("a ballot is out of place"),
    participation: reason("the list of those who took part does not agree with the roll"),
    key: reason("the closing does not tell that the key was destroyed"),
    turnout: reason("the counts do not add up to the number of members who took part"),
    lapsed: reason("it is told to have lapsed, though nothing was missing"),
    counts: reason("the counts that are told are not those of the ballots"),
    outcome: reason("the result that is told is not the one that the ballots give"),
    arithmetic: reason("the arithmetic that is told is not the one that the counts give"),
  };

  // Equality of JSON values; true and 1 are the same here, as in every place that adds them up.
  const plainer = (_name, value) => (typeof value === "boolean" ? Number(value) : value);
  const equal = (one, other) => canonical(JSON.parse(JSON.stringify(one, plainer))) === canonical(JSON.parse(JSON.stringify(other, plainer)));

  const lastBallots = (opened, ballots) => {
    const entitled = seatsEntitled(rollOf(opened));
    const counting = new Map();
    for (const ballot of ballots) {
      const seat = get(ballot, "seat");
      const why = whyNotCounted(opened, entitled, counting.get(seat), ballot);
      if (why) throw new Miscount(`ballot ${plain(get(ballot, "ballot"))}: ${why}`);
      counting.set(seat, ballot);
    }
    return counting;
  };

  const whyNotCounted = (opened, entitled, last, ballot) => {
    const frozen = get(opened, "frozen_sha256");
    const own = has(ballot, "frozen_sha256") ? ballot.frozen_sha256 : frozen;
    if (!equal(get(ballot, "motion"), get(opened, "motion")) || !equal(own, frozen)) return "belongs to another motion";
    if (!entitled.has(ballot.seat)) return "its seat is not entitled";
    if (!members(get(opened, "options")).includes(get(ballot, "choice"))) return "no such option";
    if (!equal(get(ballot, "replaces"), last ? get(last, "ballot") : null)) return "does not replace the ballot before it";
    return "";
  };

  const recountOpen = (opened, ballots, present) => {
    const counting = lastBallots(opened, ballots);
    const counts = new Map();
    for (const ballot of counting.values()) counts.set(ballot.choice, (counts.get(ballot.choice) || 0) + 1);
    const here = new Set([...(present === null ? [] : members(present)), ...counting.keys()]);
    return tally(ruleOf(get(opened, "rule")), members(get(opened, "options")), { roll: rollOf(opened), present: here, counts });
  };

  const checkOpened = async (opened) => {
    const problems = [];
    const frozen = Object.fromEntries(FROZEN.map((name) => [name, get(opened, name)]));
    const digest = await sha256Text(canonical(frozen));
    if (digest !== get(opened, "frozen_sha256")) {
      problems.push(["frozen_digest", "question, options, rule or roll are not the frozen ones"]);
    }
    const roll = rollOf(opened);
    const entitled = entitledOf(roll);
    if (!equal([roll.length, entitled], [get(opened, "roll_size"), get(opened, "entitled")])) {
      problems.push(["roll", `${plain(get(opened, "entitled"))} entitled are told, the roll has ${entitled}`]);
    }
    if (opened.secrecy === "sealed" && entitled < numberOf(ruleOf(get(opened, "rule")).minimum_secret)) {
      problems.push(["too_few_entitled", `${entitled} members for a secret vote`]);
    }
    if (has(opened, "question")) {
      require(isText(opened.question));
      if ((await sha256Text(opened.question)) !== opened.question_sha256) {
        problems.push(["question", "the question's text is not the one that was frozen"]);
      }
    }
    return problems;
  };

  const checkOpen = async (opened, ballots, closed) => {
    const problems = await checkOpened(opened);
    try {
      return [...problems, ...differences(recountOpen(opened, ballots, get(closed, "present")), closed)];
    } catch (problem) {
      if (!(problem instanceof Miscount)) throw problem;
      return [...problems, ["ballots", problem.message]];
    }
  };

  // Counts that were withheld are taken from the result, if it is disclosed.
  const checkSealed = async (opened, closed) => {
    const problems = [...(await checkOpened(opened)), ...participation(opened, closed)];
    if (!truthy(get(closed, "key_destroyed"))) problems.push(["key", "the closing does not tell that the key was destroyed"]);
    const told = get(has(closed, "result") ? closed.result : closed, "counts");
    if (!truthy(told) && get(closed, "carried") !== LAPSED) return problems;
    return [...problems, ...recheckSealed(opened, closed, told)];
  };

  const countsOf = (told) => {
    require(isObject(told));
    return new Map(Object.entries(told).map(([option, n]) => [option, numberOf(n)]));
  };

  const recheckSealed = (opened, closed, told) => {
    const [rule, roll, tookPart] = [ruleOf(get(opened, "rule")), rollOf(opened), texts(get(closed, "participation"))];
    const present = new Set([...members(get(closed, "present")), ...tookPart]);
    if (get(closed, "carried") === LAPSED) {
      const result = unpunished(() => lapsed(rule, roll, present, tookPart.length, true));
      const found = differences(result, closed);
      return found.length || result.steps.some((step) => !step.holds) ? found : [["lapsed", "nothing was missing"]];
    }
    const counts = countsOf(told);
    if (sum(counts) !== tookPart.length) {
      return [["turnout", `${sum(counts)} ballots counted of ${tookPart.length} members who took part`]];
    }
    let result;
    try {
      result = tally(rule, members(get(opened, "options")), { roll, present, counts, secret: true });
    } catch (problem) {
      if (problem instanceof Miscount) return [["counts", problem.message]];
      throw problem;
    }
    return differences(result, closed);
  };

  const unpunished = (call) => {
    try {
      return call();
    } catch (problem) {
      throw problem instanceof Miscount ? new ShapeError("shape") : problem;
    }
  };

  const participation = (opened, closed) => {
    const tookPart = texts(get(closed, "participation"));
    if (!equal(tookPart, [...new Set(tookPart)].sort(byCodePoint))) return [["participation", "not sorted, or a member stands twice"]];
    const entitled = seatsEntitled(rollOf(opened));
    return tookPart.filter((seat) => !entitled.has(seat)).map((seat) => ["participation", `${seat} is not entitled`]);
  };

  const countsTold = (counts) => {
    require(isObject(counts));
    return counts;
  };

  const differences = (result, closed) => {
    const problems = [];
    const [carried, settled, counts] = ["carried", "settled", "counts"].map((name) => get(closed, name));
    if (!equal([carried, settled], [result.carried, result.settled])) {
      require(isText(carried) && isText(settled));
      problems.push(["outcome", `${carried}/${settled} is told, ${result.carried}/${result.settled} is counted`]);
    }
    if (has(closed, "result") && !equal(closed.result, written(result))) {
      problems.push(["arithmetic", "the result that is told is not the one that the counts give"]);
    }
    if (truthy(counts) && !equal(countsTold(counts), written(result.counts))) {
      problems.push(["counts", "the counts that are told are not those of the ballots"]);
    }
    return problems;
  };

  // The disclosed events of each motion, in the order of the record; none may come after its motion's end.
  const stories = (entries) => {
    const told = new Map();
    for (const entry of entries) {
      if (![OPENED, CAST, CLOSED, ANNULLED].includes(entry.kind)) continue;
      const motion = plain(entry.event.motion);
      if (!told.has(motion)) told.set(motion, { opened: null, ballots: [], closed: null, annulled: null });
      const story = told.get(motion);
      if (story.closed || story.annulled || (entry.kind === OPENED && story.opened)) {
        throw new Broken(entry.place, reason("Entry %(index)s comes after its motion has ended.", { index: entry.index }));
      }
      if (entry.kind === CAST) story.ballots.push(entry);
      else story[{ [OPENED]: "opened", [CLOSED]: "closed", [ANNULLED]: "annulled" }[entry.kind]] = entry;
    }
    return [...told.values()];
  };

  // How many entries between opening and closing do not disclose their public part, in this state or in any.
  const hidden = (story, entries, state = null) => entries.filter(({ index, parts }) =>
    story.opened.index < index && index < story.closed.index && (state ? parts.public === state : typeof parts.public === "string")).length;

  const judge = async (story, entries) => {
    const [closing, closed] = [story.closed, story.closed.event];
    const number = get(closed, "number");
    require(typeof number === "number");
    if (!story.opened) {
      if (entries.some((entry) => entry.holds(ERASED))) {
        return { number, state: "open", words: reason("Motion %(number)s: its opening was erased.", { number }) };
      }
      throw new Broken(closing.place, reason("Motion %(number)s was closed without having been opened.", { number }));
    }
    const opened = story.opened.event;
    requirePlainRule(opened, story.opened);
    if (get(opened, "secrecy") === "open") return openVerdict(story, opened, closed, entries, number);
    if (story.ballots.length) throw new Broken(story.ballots[0].place, reason("A sealed motion has no ballots on the record."));
    requireNone(closing, number, await checkSealed(opened, closed));
    return { number, state: "checked", words: sealedWords(number, closed) };
  };

  const openVerdict = async (story, opened, closed, entries, number) => {
    const ballots = story.ballots.map((entry) => entry.event);
    const [voted, told] = [new Set(members(ballots.map((ballot) => get(ballot, "seat")))), new Set(members(get(closed, "participation")))];
    const problems = await checkOpen(opened, ballots, closed);
    const unseen = [...told].some((seat) => !voted.has(seat));
    const chainBroken = problems.length > 0 && problems[0][0] === "ballots";
    if ((unseen && hidden(story, entries)) || (hidden(story, entries, ERASED) && chainBroken)) {
      const words = reason("Motion %(number)s: its ballots are not all disclosed here, so it was not recounted.", { number });
      return { number, state: "open", words };
    }
    if (unseen || voted.size !== told.size) {
      throw new Broken(story.closed.place, reason("Motion %(number)s: its ballots are not those of the members who took part.", { number }));
    }
    requireNone(story.closed, number, problems);
    return { number, state: "recounted", words: reason("Motion %(number)s: recounted from %(n)s ballots.", { number, n: ballots.length }) };
  };

  const sealedWords = (number, closed) => {
    if (get(closed, "outcome_published") === FULL || has(closed, "result")) {
      return reason("Motion %(number)s (sealed): roll, turnout, sum, base, line and outcome agree. It cannot be recounted independently.", { number });
    }
    return reason("Motion %(number)s (sealed): roll and turnout agree; its counts are withheld. It cannot be recounted independently.", { number });
  };

  const requireNone = (closing, number, problems) => {
    if (!problems.length) return;
    const [code, detail] = problems[0];
    const problem = PROBLEMS[code];
    throw new Broken(closing.place, reason("Motion %(number)s: %(problem)s (%(detail)s).", { number, problem, detail: `${code}: ${detail}` }));
  };

  const requirePlainRule = (opened, entry) => {
    const rule = get(opened, "rule");
    require(isObject(rule));
    for (const name of ["majority", "near_tie_of_base", "quorum"]) {
      if (has(rule, name) && !FRACTION.test(plain(rule[name]))) {
        throw new Broken(`${entry.place}.parts.public.value.rule.${name}`, reason("There is no fraction here."));
      }
    }
  };

  // Checks every motion that was closed; the first that does not hold is told by its place.
  const verdicts = async (entries, breathe) => {
    const found = [];
    for (const story of stories(entries).filter((one) => one.closed)) {
      try {
        found.push(await judge(story, entries));
      } catch (problem) {
        if (!(problem instanceof ShapeError)) throw problem;
        throw new Broken(story.closed.place, reason("The events of this motion have not the shape of a motion."));
      }
      await breathe();
    }
    return found.sort((one, other) => one.number - other.number);
  };

  Object.assign(heyi, { equal, stories, verdicts });
})((globalThis.heyi ??= {}));
