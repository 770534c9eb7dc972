// Whether the panel's finding follows from the motions, and the decision tells truly how it stands to the finding.
"use strict";
((heyi) => {
  const { Broken, CARRIED, ERASED, ShapeError, equal, get, plain, reason, require, stories } = heyi;
  const [FOUND, DECIDED] = ["decisions.finding_made", "decisions.decision_issued"];
  const [FILED, WITHDRAWN] = ["dissents.dissent_filed", "dissents.dissent_withdrawn"];

  const listed = (value) => {
    require(Array.isArray(value));
    return value;
  };

  // Opening and closing of every motion that was closed, by number.
  const closedOf = (entries) => stories(entries)
    .filter((story) => story.opened && story.closed)
    .map((story) => [story.opened.event, story.closed.event])
    .sort(([one], [other]) => {
      require(typeof get(one, "number") === "number" && typeof get(other, "number") === "number");
      return one.number - other.number;
    });

  const checkFinding = (finding, entries) => {
    const before = entries.filter((entry) => entry.index < finding.index);
    const hole = before.some((entry) => entry.holds(ERASED));
    const [told, closed] = [finding.event, closedOf(before)];
    const put = closed.filter(([opened]) => get(opened, "motion_kind") === "disposition").map(([opened, end]) => (
      { id: get(opened, "motion"), number: get(opened, "number"), outcome: get(opened, "outcome"), carried: get(end, "carried") }));
    if (!equal(put, listed(get(told, "motions"))) && !hole) {
      throw new Broken(finding.place, reason("The finding names other dispositions than those that were voted on."));
    }
    const carried = told.motions.find((motion) => get(motion, "carried") === CARRIED);
    if (!equal(get(told, "outcome"), carried ? get(carried, "outcome") || "" : "")) {
      throw new Broken(finding.place, reason("The finding's outcome is not that of the disposition that was carried."));
    }
    for (const fact of listed(get(told, "facts"))) if (get(fact, "motion") !== null && !hole) checkFact(finding, fact, closed);
    if (!equal(get(told, "dissents"), dissents(before)) && !hole) {
      throw new Broken(finding.place, reason("The finding tells another number of dissents than stand on the record."));
    }
  };

  const checkFact = (finding, fact, closed) => {
    const agreed = ["question_sha256", "carried", "settled"].map((name) => get(fact, name));
    const [opened, end] = closed.findLast(([one]) => one.number === fact.motion) || [];
    const agrees = opened && equal(agreed, [get(opened, "question_sha256"), get(end, "carried"), get(end, "settled")]);
    if (!agrees) {
      throw new Broken(finding.place, reason("Question %(number)s of the finding does not agree with its motion.", { number: get(fact, "number") }));
    }
  };

  const dissents = (before) => {
    const named = (kind) => new Set(before.filter((entry) => entry.kind === kind).map((entry) => plain(get(entry.event, "dissent"))));
    const withdrawn = named(WITHDRAWN);
    return [...named(FILED)].filter((dissent) => !withdrawn.has(dissent)).length;
  };

  const checkDecision = (finding, decision) => {
    const told = decision.event;
    if (!equal(get(told, "adopts"), equal(get(told, "outcome"), get(finding, "outcome")))) {
      throw new Broken(decision.place, reason("The decision does not tell truly whether it adopts the finding."));
    }
  };

  // Derives the finding again from the closed motions, and holds finding and decision against each other.
  const follows = (entries) => {
    const finding = entries.find((entry) => entry.kind === FOUND);
    if (!finding) return;
    try {
      checkFinding(finding, entries);
      for (const decision of entries.filter((entry) => entry.kind === DECIDED)) checkDecision(finding.event, decision);
    } catch (problem) {
      if (!(problem instanceof ShapeError)) throw problem;
      throw new Broken(finding.place, reason("The finding has not the shape of a finding."));
    }
  };

  Object.assign(heyi, { follows });
})((globalThis.heyi ??= {}));
